// Checks that clients' writes are refused at the limits of a document, that removals never are,
// and that replicas take each other's documents whatever their size.
import { afterEach, describe, expect, it } from "vitest"
import { DocumentTooLarge } from "../../src/core/model/StoreError.ts"
import type { NodeLimits } from "../../src/core/model/Limits.ts"
import { buckets, notes, profiles, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
afterEach(() => stepped.stop())

const start = async (limits: Partial<NodeLimits> = {}) => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, limits })
}

const put = (name: string) => ({ key: "k", op: "put", args: [name] })
const book = (op: string, name: string) => ({ key: "k", op: `books.${op}`, args: [name] })
const named = (length: number) => ({
  key: "k",
  op: "put",
  args: [{ name: "x".repeat(length) }]
})
const stats = (at: number) => stepped.nodes[at - 1]!.core.replica.stats()

describe("a document of siblings", () => {
  it("has no more than its limit after 4,000 writes of 200 clients that read nothing", async () => {
    await start()
    let refused = 0
    for (let i = 0; i < 4_000; i++) {
      const at = 1 + i % 3
      const [outcome] = stepped.write(at, notes, put(`client ${i % 200}, ${i}`)).outcomes
      if (outcome instanceof DocumentTooLarge) refused++
      else expect(outcome).not.toBeInstanceOf(Error)
    }
    expect(refused).toBe(3_900)
    const { answer } = stepped.read(1, notes, { key: "k", r: "all" })
    expect(answer.siblings).toBe(100)
    expect(stats(1).largeDocuments + stats(2).largeDocuments + stats(3).largeDocuments).toBe(50)
  })

  it("is written again by the client that reads first, as its refusal says", async () => {
    await start({ siblingsMax: 3 })
    for (const name of ["a", "b", "c"]) {
      expect(stepped.write(1, notes, put(name)).isOpen).toBe(false)
    }
    const { error } = stepped.write(2, notes, put("d"))
    expect(error).toMatchObject({
      _tag: "DocumentTooLarge",
      limit: "siblings",
      had: 4,
      allowed: 3,
      message: "with this write the document of notes would have 4 siblings, and 3 are allowed: "
        + "read it, and write with the context of that read, which replaces what it returned"
    })
    const { context } = stepped.read(2, notes, { key: "k" }).answer
    expect(stepped.write(2, notes, { ...put("d"), context }).texts).toEqual(["d"])
  })

  it("is joined and read beyond its limit, where both halves of a cluster filled it", async () => {
    await start({ siblingsMax: 3 })
    stepped.cut(1)
    const alone = (name: string) => ({ ...put(name), w: 1 })
    for (const name of ["a", "b", "c"]) stepped.write(1, notes, alone(name))
    for (const name of ["d", "e", "f"]) stepped.write(2, notes, alone(name))
    stepped.runtime.advance(5_000)
    stepped.heal()
    const { texts } = stepped.read(3, notes, { key: "k", r: "all" })
    expect(texts).toEqual(["a", "b", "c", "d", "e", "f"])
    stepped.runtime.advance(5_000)
    expect(new Set(stepped.held(notes, "k").map((d) => JSON.stringify(d?.store))).size).toBe(1)
    expect(stepped.write(1, notes, put("g")).error).toBeInstanceOf(DocumentTooLarge)
    expect(stepped.write(1, notes, { key: "k", op: "delete", args: [] }).texts).toEqual([])
    expect(stepped.write(1, notes, put("g")).texts).toEqual(["g"])
  })
})

describe("a document of elements", () => {
  it("takes removals at its limit, and additions after them", async () => {
    await start({ elementsMax: 3 })
    for (const name of ["a", "b", "c"]) stepped.write(1, shelves, book("add", name))
    expect(stepped.write(2, shelves, book("add", "d")).error)
      .toMatchObject({ _tag: "DocumentTooLarge", limit: "elements", had: 4, allowed: 3 })
    expect(stepped.write(2, shelves, book("add", "a")).isOpen).toBe(false)
    expect(stepped.write(3, shelves, book("remove", "a")).answer.replied).toBeGreaterThan(0)
    expect(stepped.write(2, shelves, book("add", "d")).answer.values)
      .toMatchObject([{ books: ["b", "c", "d"] }])
  })
})

describe("a document of bytes", () => {
  it("takes a smaller value at its limit, and a delete", async () => {
    await start({ documentBytesMax: 400 })
    expect(stepped.write(1, profiles, named(300)).isOpen).toBe(false)
    expect(stepped.write(1, profiles, named(500)).error)
      .toMatchObject({ _tag: "DocumentTooLarge", limit: "bytes", allowed: 400 })
    expect(stepped.write(1, profiles, named(200)).answer.values).toHaveLength(1)
    expect(stepped.write(1, profiles, { key: "k", op: "delete", args: [] }).answer.values)
      .toEqual([])
  })
})

describe("a refusal", () => {
  it("is counted by its limit, and changes nothing anywhere", async () => {
    await start({ siblingsMax: 1 })
    stepped.write(1, notes, put("a"))
    const before = stepped.held(notes, "k")
    expect(stepped.write(1, notes, put("b")).error).toBeInstanceOf(DocumentTooLarge)
    stepped.runtime.advance(5_000)
    expect(stepped.held(notes, "k")).toEqual(before)
    expect(stats(1).growthRefused).toEqual({ siblings: 1, elements: 0, actors: 0, bytes: 0 })
  })
})
