/** Alarms: told when a trouble comes, and again when it has ended and comes again. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { lanWatch } from "../../src/core/model/WatchLimits.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { type Alarm, alarmsOf, watch } from "../../src/node/Alarms.ts"
import { healthOf } from "../../src/node/Status.ts"
import { buckets } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

/** The lines that a watch logs so far. */
const watching = Effect.fnUntraced(function*(alarms: ReadonlyArray<Alarm>) {
  const told: Array<unknown> = []
  const logger = Logger.make(({ message }) => {
    told.push(...Array.isArray(message) ? message : [message])
  })
  const fiber = yield* watch(alarms, { ...lan.node, ...lanWatch }).pipe(
    Effect.provide(Logger.layer([logger])),
    Effect.forkChild({ startImmediately: true })
  )
  return { told, end: Fiber.interrupt(fiber) }
})

describe("an alarm", () => {
  it.effect("is told when its count first rises, and not while it rises on", () =>
    Effect.gen(function*() {
      let clamps = 0
      let damaged = 0
      const { end, told } = yield* watching([
        { name: "clock", count: () => clamps, says: "the clock is off" },
        { name: "damage", count: () => damaged, says: "rows are damaged" }
      ])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(told, [])
      for (let minutes = 0; minutes < 10; minutes++) {
        clamps += 3
        yield* TestClock.adjust("50 seconds")
        assert.deepStrictEqual(told, ["the clock is off"])
      }
      damaged = 1
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(told, ["the clock is off", "rows are damaged"])
      yield* end
    }))

  it.effect("is told again where its count rises after it has not for a while", () =>
    Effect.gen(function*() {
      let failures = 1
      const { end, told } = yield* watching([
        { name: "commit", count: () => failures, says: "the disk refused a commit" }
      ])
      for (let times = 1; times <= 5; times++) {
        yield* TestClock.adjust("10 minutes")
        assert.lengthOf(told, times)
        failures++
      }
      yield* end
    }))

  it.effect("of a state is told once for as long as it lasts, and so is its end", () =>
    Effect.gen(function*() {
      let isDown = true
      const { end, told } = yield* watching([
        {
          name: "peer",
          lasts: true,
          count: () => Number(isDown),
          says: "node n2 does not answer",
          ended: "node n2 answers again"
        }
      ])
      for (let times = 1; times <= 3; times++) {
        isDown = true
        yield* TestClock.adjust("1 hour")
        isDown = false
        yield* TestClock.adjust("1 hour")
        assert.lengthOf(told, 2 * times)
        assert.deepStrictEqual(told.slice(-2), ["node n2 does not answer", "node n2 answers again"])
      }
      yield* end
    }))
})

describe("a node of three", () => {
  let stepped: SteppedCluster
  beforeEach(async () => {
    stepped = await SteppedCluster.start({ nodes: 3, buckets })
  })
  afterEach(() => stepped.stop())

  const said = () => {
    const { core } = stepped.nodes[0]!
    return alarmsOf(core).filter((alarm) => alarm.name === "peer" && alarm.count() > 0)
      .map(({ says }) => says)
  }

  it("says which other node does not answer, and that it does again", () => {
    stepped.runtime.advance(5_000)
    assert.deepStrictEqual(said(), [])
    for (let times = 0; times < 2; times++) {
      stepped.cut(3)
      stepped.runtime.advance(6_000)
      assert.deepStrictEqual(said(), ["node n3 does not answer"])
      const health = healthOf(stepped.nodes[0]!.core, () => false)
      assert.deepStrictEqual(health.alarms?.(), ["node n3 does not answer"])
      assert.deepStrictEqual(health.notReady(), [])
      stepped.heal()
      stepped.runtime.advance(5_000)
      assert.deepStrictEqual(said(), [])
    }
  })

  it("says of a member with another cluster key when that begins, ends and begins again", () => {
    const { core } = stepped.nodes[0]!
    const member = stepped.nodes[1]!.core.options.node
    const count = () =>
      alarmsOf(core).filter(({ name }) => name === "key")
        .reduce((sum, alarm) => sum + alarm.count(), 0)
    assert.strictEqual(count(), 0)
    core.otherKeys.refused(member)
    assert.strictEqual(count(), 1)
    core.otherKeys.heard(member)
    assert.strictEqual(count(), 0)
    core.otherKeys.refused(member)
    assert.isAbove(count(), 0)
  })
})
