// Checks that the tasks at the end of one turn run together, before anything else of the process.
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
