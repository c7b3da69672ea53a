/** Conflicts: each document is named once, and not all at once. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { assert, it } from "@effect/vitest"
import { reportConflicts } from "../../src/node/ConflictReports.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const rowKey = (name: string) => ({
  partition: 3,
  bucket: "notes",
  partitionKey: `s${name}`,
  sortKey: ""
})

it.effect("a conflict names its document once, one in a while, and as many as are remembered", () =>
  Effect.gen(function*() {
    const told: Array<unknown> = []
    const logger = Logger.make(({ fiber }) => {
      const { bucket, key } = fiber.getRef(References.CurrentLogAnnotations)
      told.push([bucket, key])
    })
    const runtime = new SteppedRuntime()
    const limits = { conflictsToldMax: 2, conflictPauseMillis: 100 }
    const report = yield* reportConflicts({ ...limits, runtime }).pipe(
      Effect.provide(Logger.layer([logger]))
    )
    const reports = (name: string) =>
      Effect.suspend(() => {
        report(rowKey(name))
        return Effect.yieldNow
      })
    yield* reports("a")
    yield* reports("b")
    assert.deepStrictEqual(told, [["notes", "[\"a\"]"]])
    for (const name of ["a", "b", "c", "d"]) {
      runtime.advance(100)
      yield* reports(name)
    }
    assert.deepStrictEqual(told, [["notes", "[\"a\"]"], ["notes", "[\"b\"]"]])
  }))
