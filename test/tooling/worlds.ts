/**
 * Lends tests the real world: clock, timers, turns and chance of this process.
 */
export { liveWorld } from "../../src/node/LiveWorld.ts"
