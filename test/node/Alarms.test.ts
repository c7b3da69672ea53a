/** Alarms: told once, when they first occur. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { assert, it } from "@effect/vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { watch } from "../../src/node/Alarms.ts"

it.effect("an alarm is logged when its count first rises, once, with the count", () =>
  Effect.gen(function*() {
    const told: Array<unknown> = []
    const logger = Logger.make(({ message }) => void told.push(message))
    let clamps = 0
    let damaged = 0
    const alarms = [
      { name: "clock", count: () => clamps, says: "the clock is off" },
      { name: "damage", count: () => damaged, says: "rows are damaged" }
    ]
    const fiber = yield* watch(alarms, lan.node).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.forkChild({ startImmediately: true })
    )
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(told, [])
    clamps = 3
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(told, [["the clock is off"]])
    clamps = 9
    damaged = 1
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(told, [["the clock is off"], ["rows are damaged"]])
    yield* Fiber.interrupt(fiber)
  }))
