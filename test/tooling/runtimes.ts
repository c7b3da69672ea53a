/**
 * Lends tests the real runtime: the clock, timers, turns and chance of this process.
 */
export { liveRuntime } from "../../src/node/LiveRuntime.ts"
