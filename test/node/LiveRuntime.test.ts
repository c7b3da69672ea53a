// Checks that the tasks at the end of one turn run together, before anything else of the process,
// and that a process knows how long it had nothing to do.
import { describe, expect, it } from "vitest"
import { liveRuntime, withJoinedTurns } from "../../src/node/LiveRuntime.ts"

describe("joined turns", () => {
  it("run their tasks in order, with no promise's callback in between", async () => {
    const runtime = withJoinedTurns(liveRuntime)
    const done: Array<string> = []
    await new Promise<void>((resolve) => {
      runtime.endOfTurn(() => {
        done.push("first")
        queueMicrotask(() => done.push("callback"))
        runtime.endOfTurn(() => {
          done.push("of the next turn")
          resolve()
        })
      })
      runtime.endOfTurn(() => void done.push("second"))
      done.push("now")
    })
    expect(done).toEqual(["now", "first", "second", "callback", "of the next turn"])
  })
})

it("idle time passes while a process waits for a timer, and none while it is at work", async () => {
  const { after, elapsed, idle } = liveRuntime
  const before = idle()
  const endsAt = elapsed() + 50
  while (elapsed() < endsAt);
  expect(idle()).toBe(before)
  // Node counts a timer from the beginning of the turn, which is 50 ms ago.
  await new Promise<void>((resolve) => after(150, resolve))
  expect(idle() - before).toBeGreaterThan(0)
  expect(idle() - before).toBeLessThanOrEqual(elapsed() - endsAt)
})
