// Checks that a store which was wiped is not complete before it has what only a stand-in keeps of
// the writes that it acknowledged, though no owner has it.
import * as Schema from "effect/Schema"
import { afterEach, describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
afterEach(() => stepped.stop())

const key = "k"
const bucketOf = (n: number) => Bucket.lww("texts", { key: Key.text, value: Schema.String, n })
const texts = bucketOf(3)

/** Loses the frames between some nodes and others, and no others. */
const cut = (some: ReadonlyArray<number>, others: ReadonlyArray<number>): void => {
  const [left, right] = [some.map(node), others.map(node)]
  stepped.loses = ({ from, to }) =>
    left.includes(from) && right.includes(to) || right.includes(from) && left.includes(to)
}

const core = (number: number) => stepped.nodes.find(({ id }) => id === node(number))!.core
const completeness = (number: number) => core(number).formation.completeness()
const hints = (number: number): number => core(number).replica.hints.stats().hints

const wipe = async (number: number): Promise<void> => {
  stepped.cluster.crash(node(number))
  await stepped.restart(number, new MemoryDisk())
}

/**
 * A cluster in which the first owner of a document and a stand-in have acknowledged it, and no
 * other owner has it.
 */
const start = async (
  { bucket = texts, nodes = 4 }: {
    readonly bucket?: typeof texts
    readonly nodes?: number
  } = {}
) => {
  const limits = { greetMillis: 60_000, exchangeMillis: 500, readAllPercent: 0 }
  stepped = await SteppedCluster.start({ nodes, buckets: [bucket], limits })
  stepped.runtime.advance(1_000)
  const { others: [standIn = 0], primaries: [first = 0, ...rest] } = stepped.nodesOf(bucket, key)
  // The stand-in cannot hand over what it keeps for them.
  cut([first, standIn], rest)
  const asked = stepped.write(first, bucket, { key, op: "put", args: ["kept"], w: 2, dw: 2 })
  stepped.runtime.advance(3_000)
  expect(asked.texts).toEqual(["kept"])
  expect(hints(standIn)).toBeGreaterThan(0)
  return { bucket, first, rest, standIn }
}

/** The texts that a strict read of all owners shows. */
const strictTexts = (at: number, bucket = texts): ReadonlyArray<string> => {
  const { n } = bucket.definition
  const asked = stepped.read(at, bucket, { key, r: n, pr: n, sloppy: false })
  stepped.runtime.advance(3_000)
  return asked.texts
}

describe("a wiped node", () => {
  it("is complete with a write that only a stand-in has", async () => {
    const { first, rest, standIn } = await start()
    cut([standIn], rest)
    await wipe(first)
    stepped.runtime.advance(20_000)
    expect(hints(standIn)).toBeGreaterThan(0)
    expect(completeness(first)).toBe("complete")
    expect(strictTexts(first)).toEqual(["kept"])
  })

  it("is complete with such a write of a bucket that has fewer owners than others", async () => {
    // Of three nodes, each is one of the usual owners of all partitions.
    const { bucket, first, rest, standIn } = await start({ bucket: bucketOf(2), nodes: 3 })
    cut([standIn], rest)
    await wipe(first)
    stepped.runtime.advance(20_000)
    expect(completeness(first)).toBe("complete")
    expect(strictTexts(first, bucket)).toEqual(["kept"])
  })

  it("is not complete while a stand-in is away, and is so when that has come back", async () => {
    const { first, rest, standIn } = await start()
    cut([standIn], [first, ...rest])
    await wipe(first)
    stepped.runtime.advance(60_000)
    expect(completeness(first)).toBe("incomplete")
    expect(core(first).antiEntropy.filling()).toMatchObject({ filled: 0, unasked: 1 })
    cut([standIn], rest)
    stepped.runtime.advance(20_000)
    expect(completeness(first)).toBe("complete")
    expect(strictTexts(first)).toEqual(["kept"])
  })

  it("is complete where a stand-in comes back with an empty disk", async () => {
    const { first, rest, standIn } = await start()
    stepped.cluster.crash(node(standIn))
    cut([], [])
    await wipe(first)
    stepped.runtime.advance(20_000)
    expect(completeness(first)).toBe("incomplete")
    await stepped.restart(standIn, new MemoryDisk())
    stepped.runtime.advance(60_000)
    expect([first, ...rest, standIn].map(completeness).join()).toBe(
      "complete,complete,complete,complete"
    )
  })

  it("has a write that was handed over after its new owner had sent everything", async () => {
    const { first, rest, standIn } = await start()
    cut([standIn], [first, ...rest])
    await wipe(first)
    // The owners send everything, and have nothing of it.
    stepped.runtime.advance(20_000)
    cut([first], [standIn, ...rest])
    stepped.runtime.advance(20_000)
    const row = stepped.rowOf(texts, key)
    expect(hints(standIn)).toBe(0)
    expect(core(standIn).replica.read(row)._tag).toBe("Absent")
    expect(core(first).replica.read(row)._tag).toBe("Absent")
    expect(completeness(first)).toBe("incomplete")
    // All members have been asked then, and each owner has sent everything that it had before.
    cut([first], rest)
    stepped.runtime.advance(20_000)
    expect(core(first).antiEntropy.filling()).toMatchObject({ unasked: 0 })
    expect(completeness(first)).toBe("incomplete")
    cut([], [])
    stepped.runtime.advance(60_000)
    expect(completeness(first)).toBe("complete")
    expect(core(first).replica.read(row)._tag).toBe("Found")
  })
})
