/**
 * Lends tests the real world: the clock, timers, turns and chance of this process.
 */
export { liveWorld } from "../../src/node/LiveWorld.ts"
