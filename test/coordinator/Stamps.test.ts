// Checks that of writes one of which saw the other, the later wins, under any clocks.
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { buckets, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

const put = (key: string, name: string) => ({ key, op: "put", args: [{ name }], w: 1 })
const hour = 3_600_000

describe("a write that saw another", () => {
  it("wins, though its node's clock is behind and its replica had not seen it", () => {
    stepped.cut(1)
    const { context } = stepped.write(1, profiles, put("k", "first")).answer
    stepped.runtime.advance(2_000)
    stepped.cut(2)
    stepped.runtime.wallOffsetMillis -= hour
    stepped.write(2, profiles, { ...put("k", "second"), context })
    stepped.runtime.advance(2_000)
    stepped.heal()
    expect(stepped.read(3, profiles, { key: "k", r: "all" }).answer.values)
      .toEqual([{ name: "second" }])
  })

  it("in its session wins alike", () => {
    stepped.cut(1)
    const { context } = stepped.write(1, profiles, put("k", "first")).answer
    stepped.runtime.advance(2_000)
    stepped.runtime.wallOffsetMillis -= hour
    stepped.write(2, profiles, { ...put("k", "second"), after: [context] })
    stepped.heal()
    expect(stepped.read(3, profiles, { key: "k", r: "all" }).answer.values)
      .toEqual([{ name: "second" }])
  })

  it("and deleted stays deleted", () => {
    stepped.write(1, profiles, { ...put("k", "first"), w: 3 })
    stepped.runtime.wallOffsetMillis -= hour
    stepped.write(2, profiles, { key: "k", op: "delete", w: 3 })
    expect(stepped.read(3, profiles, { key: "k", r: "all" }).answer.values).toEqual([])
  })

  it("wins in every chain of writes through any nodes, with any clock in between", () => {
    const step = fc.record({
      at: fc.integer({ min: 1, max: 3 }),
      jump: fc.integer({ min: -hour, max: hour }),
      carries: fc.constantFrom("context" as const, "after" as const),
      alone: fc.boolean()
    })
    let keys = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
        const key = `k${++keys}`
        let token: string | undefined
        steps.forEach(({ alone, at, carries, jump }, i) => {
          stepped.runtime.wallOffsetMillis += jump
          if (alone) stepped.cut(at)
          const seen = token === undefined
            ? {}
            : carries === "context"
            ? { context: token }
            : { after: [token] }
          token = stepped.write(at, profiles, { ...put(key, String(i)), ...seen }).answer.context
          stepped.runtime.advance(1_000)
          stepped.heal()
        })
        expect(stepped.read(1, profiles, { key, r: "all" }).answer.values)
          .toEqual([{ name: String(steps.length - 1) }])
      }),
      { numRuns: 50 }
    )
  })
})

describe("a node whose clock is far ahead", () => {
  it("stamps by its peers' clocks, so that later writes of others win", () => {
    stepped.clockOffsets.set(1, hour)
    stepped.read(1, profiles, { key: "k", r: "all" })
    stepped.write(1, profiles, { ...put("k", "fast"), w: 3 })
    expect(stepped.nodes[0]!.core.view.clockClamps()).toBeGreaterThan(0)
    stepped.runtime.advance(10)
    stepped.cut(2)
    stepped.damage(2)
    stepped.write(2, profiles, put("k", "later"))
    stepped.runtime.advance(2_000)
    stepped.heal()
    expect(stepped.read(3, profiles, { key: "k", r: "all" }).answer.values)
      .toEqual([{ name: "later" }])
  })

  it("takes writes whose ids are as old as their clients say, not as old as it believes", () => {
    stepped.clockOffsets.set(1, hour)
    stepped.read(1, profiles, { key: "k", r: "all" })
    const operationId = { session: "s", sequence: 1, at: stepped.runtime.now() }
    expect(stepped.write(1, profiles, { ...put("k", "x"), operationId }).answer.replied).toBe(1)
  })
})
