// Checks that a store which is filled fetches each document about once, also while clients write.
import * as Schema from "effect/Schema"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String, n: 3 })
const documents = 1_000
const bodyOf = (version: number): string => String(version).padStart(200, "x")

let stepped: SteppedCluster
beforeEach(async () => {
  const limits = { exchangeMillis: 1_000, readAllPercent: 0 }
  stepped = await SteppedCluster.start({ nodes: 5, buckets: [texts], limits })
  stepped.runtime.advance(1_000)
  for (let i = 0; i < documents; i++) put(2, i, 0)
  stepped.runtime.advance(5_000)
})
afterEach(() => stepped.stop())

const put = (by: number, i: number, version: number) =>
  stepped.write(by, texts, { key: `k${i}`, op: "put", args: [bodyOf(version)], w: 2, dw: 2 })

const core = (number: number) => stepped.nodes.find(({ id }) => id === node(number))!.core

/** Bytes of the texts that a node holds. */
const bytesOf = (number: number): number =>
  Array.from({ length: documents }, (_, i) =>
    core(number).replica.read(
      stepped.rowOf(texts, `k${i}`)
    )).reduce((bytes, read) => bytes + (read._tag === "Found" ? bodyOf(0).length : 0), 0)

const movedBy = (number: number): number => core(number).antiEntropy.counts.movedBytes

/** Bytes for each byte of the texts that a wiped node has when it is filled. */
interface Filled {
  /** Which it fetched. */
  readonly fetched: number
  /** Which the others exchanged of themselves. */
  readonly byOthers: number
}

const fill = async (meanwhile: () => void): Promise<Filled> => {
  const others = () => [2, 3, 4, 5].reduce((sum, number) => sum + movedBy(number), 0)
  const before = others()
  stepped.cluster.crash(node(1))
  await stepped.restart(1, new MemoryDisk())
  for (let turn = 0; core(1).formation.completeness() !== "complete"; turn++) {
    expect(turn, "turns until it is complete").toBeLessThan(600)
    meanwhile()
    stepped.runtime.advance(100)
  }
  return { fetched: movedBy(1) / bytesOf(1), byOthers: (others() - before) / bytesOf(1) }
}

describe("a store that is filled", () => {
  it("fetches each document about once", async () => {
    const { byOthers, fetched } = await fill(() => {})
    expect(bytesOf(1)).toBeGreaterThan(documents / 3 * bodyOf(0).length)
    // One has some 60 bytes beside its text.
    expect(fetched).toBeGreaterThan(1)
    expect(fetched).toBeLessThan(1.5)
    expect(byOthers).toBe(0)
  })

  it("fetches few of them again though clients write all the time", async () => {
    let version = 0
    const { byOthers, fetched } = await fill(() => {
      // What it misses of these comes later, as a frame does that is under way.
      stepped.loses = ({ to }) => to === node(1)
      for (let i = 0; i < 20; i++) put(2, ++version * 7 % documents, version)
      stepped.loses = () => false
    })
    expect(byOthers).toBe(0)
    expect(fetched).toBeLessThan(1)
  })
})
