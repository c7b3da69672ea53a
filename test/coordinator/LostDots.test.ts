// Checks what a session is told, and what becomes of removals, when what was seen is lost for ever.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { ContextNotCovered } from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { node, SteppedCluster, type StoppableFrame } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

const key = "k"
const available = { key, consistency: "available" } as const

/** Loses all documents of a node, which goes on or starts again. */
const lose = (nodeNumber: number) =>
  stepped.nodes[nodeNumber - 1]!.disk.database.exec("DELETE FROM documents")
const wipe = async (nodeNumber: number) => {
  stepped.cluster.crash(stepped.nodes[nodeNumber - 1]!.id)
  lose(nodeNumber)
  await stepped.restart(nodeNumber)
}

/** The context of a write that n1 alone has. */
const aloneAtN1 = (bucket: Any, op: string, value: string): string => {
  stepped.cut(1)
  const { context } = stepped.write(1, bucket, { ...available, op, args: [value] }).answer
  stepped.runtime.advance(2_000)
  stepped.heal()
  return context
}

/** How many actors' writes each node has of the document. */
const sizes = () => stepped.held(shelves, key).map((held) => held?.context.size)
const deferrals = (bucket: Any) => stepped.held(bucket, key).map((held) => held?.deferred.length)

describe("a session that has seen what is lost", () => {
  it("is told once, at any node, and goes on with a context that has forgotten it", async () => {
    const after = [aloneAtN1(notes, "put", "x")]
    await wipe(1)
    const told = stepped.read(2, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(told.answer).toMatchObject({ values: [], lost: true })
    const next = stepped.read(3, notes, { ...available, after: [told.answer.context] })
    expect(next.answer.values).toEqual([])
    expect(next.answer).not.toHaveProperty("lost")
    expect(stepped.counts(2)).toMatchObject({ lostTold: 1, dotSearches: 1 })
  })

  it("is shown what is left", async () => {
    stepped.write(1, notes, { key, op: "put", args: ["kept"], w: "all" })
    const after = [aloneAtN1(notes, "put", "x")]
    await wipe(1)
    const told = stepped.read(1, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(told.answer).toMatchObject({ values: ["kept"], lost: true })
  })

  it("is told by a node that forwards its read, too", async () => {
    stepped.stop()
    stepped = await SteppedCluster.start({ nodes: 4, buckets })
    const { others, primaries } = stepped.nodesOf(notes, key)
    const [maker] = primaries
    stepped.cut(...primaries.slice(1), ...others)
    const written = stepped.write(maker!, notes, { ...available, op: "put", args: ["x"] })
    const { context } = written.answer
    stepped.runtime.advance(2_000)
    await wipe(maker!)
    stepped.heal()
    const told = stepped.read(others[0]!, notes, { ...available, after: [context] })
    stepped.runtime.advance(1_000)
    expect(told.answer).toMatchObject({ values: [], lost: true })
  })

  it("is told where the node that lost it runs on", () => {
    const after = [aloneAtN1(notes, "put", "x")]
    lose(1)
    const told = stepped.read(2, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(told.answer).toMatchObject({ values: [], lost: true })
  })

  it("is to try again while an owner does not answer, or cannot read its row", async () => {
    const after = [aloneAtN1(notes, "put", "x")]
    await wipe(1)
    stepped.write(2, notes, { ...available, op: "put", args: ["y"], w: "all" })
    stepped.cut(3)
    const asked = stepped.read(2, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(asked.error).toBeInstanceOf(ContextNotCovered)
    stepped.heal()
    stepped.damage(3)
    const again = stepped.read(2, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(again.error).toBeInstanceOf(ContextNotCovered)
    // That read has repaired the row.
    const told = stepped.read(2, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(told.answer).toMatchObject({ values: ["y"], lost: true })
  })

  it("is answered with what a slow commit brings, and told of no loss", () => {
    const after = [aloneAtN1(notes, "put", "x")]
    expect(stepped.read(3, notes, { ...available, after }).answer.values).toEqual(["x"])
    lose(1)
    const read = stepped.read(2, notes, { ...available, after })
    stepped.runtime.advance(1_000)
    expect(read.answer.values).toEqual(["x"])
    expect(read.answer).not.toHaveProperty("lost")
  })
})

const reading = () => stepped.read(2, shelves, { key, r: "all", timeoutMillis: 5_000 })
const writing = () => {
  const added = { op: "books.add", args: ["Persuasion"] }
  return stepped.write(2, shelves, { key, ...added, w: "all", timeoutMillis: 5_000 })
}

describe("removals by a context whose dots are lost", () => {
  it("leave nothing behind, though there are 300", async () => {
    const context = aloneAtN1(shelves, "books.add", "Emma")
    await wipe(1)
    stepped.write(2, shelves, { key, op: "books.add", args: ["Persuasion"], w: "all" })
    for (let i = 0; i < 300; i++) {
      const at = 1 + i % 3
      stepped.write(at, shelves, { ...available, op: "books.remove", args: ["Emma"], context })
    }
    stepped.runtime.advance(3_000)
    for (const at of [1, 2, 3]) stepped.read(at, shelves, { key, r: "all" })
    stepped.runtime.advance(3_000)
    expect(deferrals(shelves)).toEqual([0, 0, 0])
    const { values } = stepped.read(1, shelves, { key, r: "all" }).answer
    expect(values).toMatchObject([{ books: ["Persuasion"] }])
    expect(stepped.counts(1).deferralsEnded).toBeGreaterThan(0)
  })

  it("wait while their dots may come, and then take these away", () => {
    stepped.cut(1)
    const added = { ...available, op: "books.add", args: ["Emma"] }
    const { context } = stepped.write(1, shelves, added).answer
    stepped.runtime.advance(2_000)
    const removed = { ...available, op: "books.remove", args: ["Emma"], context }
    stepped.write(2, shelves, removed)
    stepped.runtime.advance(3_000)
    expect(deferrals(shelves)).toEqual([0, 1, 1])
    stepped.heal()
    stepped.read(2, shelves, { key, r: "all" })
    stepped.runtime.advance(3_000)
    expect(deferrals(shelves)).toEqual([0, 0, 0])
    expect(stepped.read(3, shelves, { key, r: "all" }).answer.values).toEqual([])
  })

  it.each([
    { what: "read", begin: reading, left: [] },
    { what: "write", begin: writing, left: [{ books: ["Persuasion"] }] }
  ])(
    "are carried out where a $what has in memory what every disk has lost",
    async ({ begin, left }) => {
      const context = aloneAtN1(shelves, "books.add", "Emma")
      stepped.cut(3)
      stepped.read(2, shelves, { key, r: 2 })
      stepped.runtime.advance(3_000)
      stepped.heal()
      expect(sizes()).toEqual([1, 1, 0])
      const lost: Array<StoppableFrame> = []
      stepped.loses = (frame) =>
        frame.from === node(2) && frame.to === node(3) && lost.push(frame) > 0
      const slow = begin()
      lose(2)
      await wipe(1)
      stepped.runtime.advance(500)
      // The request has just asked n3 again, and will not for a while.
      for (const { length } = lost; lost.length === length;) stepped.runtime.advance(1)
      stepped.loses = () => false
      stepped.write(3, shelves, { ...available, op: "books.remove", args: ["Emma"], context })
      expect(slow.isOpen).toBe(true)
      stepped.runtime.advance(5_000)
      for (const at of [1, 2, 3]) {
        const { values } = stepped.read(at, shelves, { key, r: "all" }).answer
        expect(values).toMatchObject(left)
        expect(values).toHaveLength(left.length)
        stepped.runtime.advance(1_000)
      }
      expect(deferrals(shelves)).toEqual([0, 0, 0])
    }
  )

  it("are carried out where counters are removed, which waits for no dots", async () => {
    stepped.write(2, shelves, { key, op: "visits.add", args: [5], w: "all" })
    const context = aloneAtN1(shelves, "books.add", "Emma")
    await wipe(1)
    const deleted = stepped.write(2, shelves, { ...available, op: "delete", args: [], context })
    stepped.runtime.advance(1_000)
    expect(deleted.answer.values).toEqual([])
    expect(stepped.read(3, shelves, { key, r: "all" }).answer.values).toEqual([])
  })

  it("are refused, to be tried again, while it cannot be told", () => {
    stepped.write(2, shelves, { key, op: "visits.add", args: [5], w: "all" })
    stepped.cut(1)
    const added = { ...available, op: "books.add", args: ["Emma"] }
    const { context } = stepped.write(1, shelves, added).answer
    stepped.runtime.advance(2_000)
    const deleted = stepped.write(2, shelves, { ...available, op: "delete", args: [], context })
    stepped.runtime.advance(1_000)
    expect(deleted.error).toBeInstanceOf(ContextNotCovered)
  })
})
