/**
 * Gives nodes and clients the live runtime: the machine's clocks, timers and randomness. Nothing
 * else in the product reads them.
 */
import { randomBytes } from "node:crypto"
import type { Runtime } from "../core/Runtime.ts"

const idLength = 26

export const liveRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (millis, task) => {
    const timer = setTimeout(task, millis)
    return () => clearTimeout(timer)
  },
  endOfTurn: (task) => {
    setImmediate(task)
  },
  random: () => Math.random(),
  id: () => {
    const bits = BigInt(`0x${randomBytes(16).toString("hex")}`)
    return bits.toString(36).padStart(idLength, "0")
  },
  // Marks tell the simulator which rare paths its runs take.
  mark: () => {}
}
