/**
 * Gives nodes and clients the live runtime: the machine's clocks, timers and randomness. Nothing
 * else in the product reads them.
 */
import { randomBytes } from "node:crypto"
import { runEach } from "../core/RunEach.ts"
import type { Runtime } from "../core/Runtime.ts"

const idLength = 26

export const liveRuntime: Runtime = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  idle: () => performance.nodeTiming.idleTime,
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

/**
 * The same runtime, in which the tasks at the end of one turn run one right after the other, as one
 * task of the event loop. The client library of NATS writes to its socket between two such tasks:
 * so frames to peers and answers to clients leave in one write.
 *
 * **Requires** that no task publishes over bytes that an earlier one of the same turn published.
 */
export const withJoinedTurns = (runtime: Runtime): Runtime => {
  let tasks: Array<() => void> = []
  const endTurn = (): void => {
    const due = tasks
    tasks = []
    runEach(due, (task) => task())
  }
  return {
    ...runtime,
    endOfTurn: (task) => {
      if (tasks.push(task) === 1) runtime.endOfTurn(endTurn)
    }
  }
}
