// Checks that documents which nodes keep for others outlive a change of their bucket's schema.
import { afterEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const texts = Bucket.siblings("notes", { key: Key.text, value: Schema.String })
const value = Schema.Union([Schema.String, Schema.Number])
const textsAndNumbers = Bucket.siblings("notes", { key: Key.text, value })

let stepped: SteppedCluster
afterEach(() => stepped.stop())

describe("a hint that was written before its bucket was declared otherwise", () => {
  it("is delivered once all nodes declare it so", async () => {
    let notes: typeof texts | typeof textsAndNumbers = texts
    stepped = await SteppedCluster.start({ nodes: 5, buckets: () => [notes] })
    stepped.runtime.advance(2_000)
    const { others, primaries: [first = 0, , third = 0] } = stepped.nodesOf(texts, "k")
    const [fallback = 0] = others
    const row = stepped.rowOf(texts, "k")
    const core = (at: number) => stepped.nodes[at - 1]!.core
    stepped.cut(third)
    stepped.write(first, texts, { key: "k", op: "put", args: ["x"] })
    stepped.runtime.advance(2_500)
    expect(core(fallback).replica.hints.stats().hints).toBe(1)
    notes = textsAndNumbers
    for (const { id } of stepped.nodes) stepped.cluster.crash(id)
    for (let at = 1; at <= 5; at++) await stepped.restart(at)
    stepped.heal()
    stepped.runtime.advance(6_000)
    expect(core(third).replica.read(row)._tag).toBe("Found")
    expect(core(fallback).replica.hints.stats().hints).toBe(0)
  })
})
