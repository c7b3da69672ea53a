// Checks that a read which asks every replica repairs those that were behind, with all that any
// had, and no others.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import { buckets, notes, profiles, shelves } from "../cluster/buckets.ts"
import { idle, SteppedCluster } from "../cluster/steppedCluster.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  const limits = { ...idle, readAllPercent: 100 }
  stepped = await SteppedCluster.start({ nodes: 3, buckets, limits })
})
afterEach(() => stepped.stop())

/** Digests of the nodes' documents; "damaged" for a damaged one. */
const digests = (bucket: Any, key = "k"): ReadonlyArray<string> =>
  stepped.held(bucket, key).map((held) =>
    held === undefined ? "damaged" : DocumentCodec.encode(held).digest
  )
const areEqual = (bucket: Any): boolean => new Set(digests(bucket)).size === 1

const ada = { key: "k", op: "put", args: [{ name: "Ada" }] }
const grace = { key: "k", op: "put", args: [{ name: "Grace" }] }
const repairs = () => [1, 2, 3].map((at) => stepped.counts(at).readRepairs)

/** A write that one node misses. */
const writeWithout = (
  nodeNumber: number,
  bucket: Any,
  write: Parameters<SteppedCluster["write"]>[2]
) => {
  stepped.cut(nodeNumber)
  expect(stepped.write(nodeNumber === 1 ? 2 : 1, bucket, { ...write, w: 2 }).isOpen).toBe(false)
  stepped.runtime.advance(2_000)
  stepped.heal()
}

describe("a read", () => {
  it("repairs a replica that is behind, even where its answer is late", () => {
    stepped.write(1, profiles, { ...ada, w: "all" })
    writeWithout(3, profiles, grace)
    expect(areEqual(profiles)).toBe(false)
    expect(stepped.read(1, profiles, { key: "k", r: "one" }).answer.values)
      .toEqual([{ name: "Grace" }])
    expect(areEqual(profiles)).toBe(true)
    expect(repairs()).toEqual([1, 0, 0])
  })

  it("repairs its own replica, and answers with the others' document", () => {
    stepped.write(1, profiles, { ...ada, w: "all" })
    writeWithout(1, profiles, grace)
    const { answer } = stepped.read(1, profiles, { key: "k", r: 2 })
    expect(answer.values).toEqual([{ name: "Grace" }])
    expect(areEqual(profiles)).toBe(true)
    expect(repairs()).toEqual([1, 0, 0])
  })

  it("repairs a replica that lacks the document", () => {
    writeWithout(2, notes, { key: "k", op: "put", args: ["x"] })
    stepped.read(3, notes, { key: "k", r: "all" })
    expect(areEqual(notes)).toBe(true)
    expect(repairs()).toEqual([0, 0, 1])
  })

  it.each([1, 2])(
    "repairs a damaged replica at node %i, and does not count its answer",
    (nodeNumber) => {
      for (const book of ["Emma", "Persuasion"]) {
        stepped.write(1, shelves, { key: "k", op: "books.add", args: [book], w: "all" })
      }
      const [whole] = digests(shelves)
      stepped.damage(nodeNumber)
      expect(digests(shelves)).toContain("damaged")
      const { answer } = stepped.read(1, shelves, { key: "k" })
      expect(answer.values).toMatchObject([{ books: ["Emma", "Persuasion"] }])
      expect(digests(shelves)).toEqual([whole, whole, whole])
    }
  )

  it("with r above 1 fails where all replicas but one are damaged, and still repairs", () => {
    stepped.write(1, profiles, { ...ada, w: "all" })
    stepped.damage(2)
    stepped.damage(3)
    const { error } = stepped.read(1, profiles, { key: "k" })
    expect(error).toMatchObject({ _tag: "QuorumNotMet", had: { r: 1 }, unreachable: [] })
    expect(error).toMatchObject({
      refused: expect.toSatisfy((refused: ReadonlyArray<{ node: string; reason: string }>) =>
        refused.map(({ node }) => node).toSorted().join() === "n2,n3"
        && refused.every(({ reason }) => reason === "its copy is damaged")
      )
    })
    expect(areEqual(profiles)).toBe(true)
    expect(stepped.read(1, profiles, { key: "k" }).answer.values).toEqual([{ name: "Ada" }])
  })

  it("joins writes that each replica has alone, and gives all of them to all", () => {
    const put = { key: "k", op: "put", w: 1 }
    for (const [i, nodeNumber] of [1, 2, 3].entries()) {
      stepped.cut(1, 2, 3)
      stepped.write(nodeNumber, notes, { ...put, args: [`n${i + 1}`] })
    }
    stepped.runtime.advance(2_000)
    stepped.heal()
    expect(new Set(digests(notes)).size).toBe(3)
    const asked = stepped.read(2, notes, { key: "k", r: "all" })
    expect(asked.texts).toEqual(["n1", "n2", "n3"])
    expect(asked.answer.siblings).toBe(3)
    expect(areEqual(notes)).toBe(true)
    expect(repairs()).toEqual([0, 3, 0])
  })

  it("carries a deletion to a replica that was away, and does not undo it", () => {
    stepped.write(1, notes, { key: "k", op: "put", args: ["x"], w: "all" })
    writeWithout(3, notes, { key: "k", op: "delete" })
    expect(stepped.read(3, notes, { key: "k", r: 2 }).answer.values).toEqual([])
    expect(areEqual(notes)).toBe(true)
  })

  it("of a document that all replicas hold alike, or none holds, repairs and moves nothing", () => {
    const large = { name: "x".repeat(10_000) }
    stepped.write(1, profiles, { ...ada, args: [large], w: "all" })
    const changes = () => stepped.nodes.map(({ core }) => core.options.storage.stats().changes)
    const sent = () => stepped.nodes.map(({ transport }) => transport.stats().sentBytes)
    const [changed, before] = [changes(), sent()]
    for (const nodeNumber of [1, 2, 3]) {
      expect(stepped.read(nodeNumber, profiles, { key: "k", r: "all" }).answer.values).toEqual([
        large
      ])
      stepped.read(nodeNumber, profiles, { key: "absent", r: "all" })
    }
    expect(changes()).toEqual(changed)
    expect(repairs()).toEqual([0, 0, 0])
    sent().forEach((bytes, i) => expect(bytes - before[i]!).toBeLessThan(5_000))
  })

  it("repairs a replica that was not reached at first, once it answers", () => {
    stepped.write(1, profiles, { ...ada, w: "all" })
    writeWithout(3, profiles, grace)
    stepped.loses = ({ to }) => to === "n3"
    const asked = stepped.read(1, profiles, { key: "k", r: "one" })
    expect(asked.answer.values).toEqual([{ name: "Grace" }])
    stepped.loses = () => false
    // A question of its own shows that it is up again.
    stepped.read(3, profiles, { key: "another", r: "one" })
    stepped.runtime.advance(600)
    expect(areEqual(profiles)).toBe(true)
  })

  it("asks a replica that is believed down once, not again and again", () => {
    stepped.write(1, profiles, { ...ada, w: "all" })
    let asked = 0
    stepped.loses = ({ from, to }) => {
      if (from === "n1" && to === "n3") asked++
      return to === "n3"
    }
    stepped.read(1, profiles, { key: "k", r: "one" })
    stepped.runtime.advance(3_000)
    expect(asked).toBeGreaterThan(1)
    asked = 0
    stepped.read(1, profiles, { key: "k", r: "one" })
    stepped.runtime.advance(3_000)
    expect(asked).toBe(1)
  })
})
