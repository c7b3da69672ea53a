// Checks the typed handles of every family, whichever way they reach the store.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Errors from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { buckets, notes, profiles, rooms, scores, shelves } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { ways, type WayToStore } from "./ways.ts"

/** Values whose JSON is another. */
const events = Bucket.lww("events", {
  key: Key.text,
  value: Schema.Struct({ at: Schema.Date, tags: Schema.ReadonlySet(Schema.String) })
})
const nested = Bucket.crdt("nested", {
  key: Key.text,
  type: Crdt.document({
    lines: Crdt.map(Crdt.counter),
    shelves: Crdt.map(Crdt.map(Crdt.set(Schema.Int))),
    // Fields that every object has already.
    constructor: Crdt.counter,
    toString: Crdt.register(Schema.String)
  })
})

describe.each(ways)("%s", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeEach(async () => {
    cluster = await makeCluster({
      nodes: 3,
      buckets: [...buckets, events, nested],
      timeoutMillis: 10_000
    })
    store = await open(cluster)
  })
  afterEach(() => cluster.stop())

  it("put, get and delete where the last write wins", async () => {
    const handle = store.bucket(profiles)
    expect(await handle.get("ada")).toBeUndefined()
    const absent = await handle.entry("ada")
    expect(absent).toMatchObject({ _tag: "Absent", bucket: "profiles", key: "ada" })
    const put = await handle.put("ada", { name: "Ada" })
    expect(put).toMatchObject({ _tag: "Found", value: { name: "Ada" }, siblings: 1, replied: 2 })
    expect(await handle.get("ada")).toEqual({ name: "Ada" })
    await handle.put("ada", { name: "Ada L." }, { seen: put })
    expect(await handle.get("ada")).toEqual({ name: "Ada L." })
    expect("update" in handle).toBe(false)
    expect(await handle.delete("ada")).toMatchObject({ _tag: "Absent" })
    expect(await handle.get("ada")).toBeUndefined()
  })

  it("give the application's values, with any JSON of theirs", async () => {
    const handle = store.bucket(events)
    const value = { at: new Date("2026-01-01T12:00:00Z"), tags: new Set(["a", "b"]) }
    await handle.put("e", value)
    expect(await handle.get("e")).toEqual(value)
  })

  it("keep siblings, and replace and delete those that were seen", async () => {
    const handle = store.bucket(notes)
    const absent = await handle.entry("n")
    await handle.replace(absent, "one")
    const both = await handle.replace(absent, "two")
    expect(both).toMatchObject({ _tag: "Found", siblings: 2 })
    const seen = await handle.entry("n")
    expect(seen._tag === "Found" && seen.value.toSorted()).toEqual(["one", "two"])
    await handle.replace(absent, "three")
    expect(await handle.replace(seen, "merged")).toMatchObject({ siblings: 2 })
    await handle.delete(seen)
    expect((await handle.get("n"))?.toSorted()).toEqual(["merged", "three"])
    await handle.update("n", (all) => all?.toSorted().join("+") ?? "")
    expect(await handle.get("n")).toEqual(["merged+three"])
    await handle.delete("n")
    expect(await handle.get("n")).toBeUndefined()
  })

  it("merge on reading, by the declaration's function", async () => {
    const handle = store.bucket(scores)
    const absent = await handle.entry("s")
    for (const score of [3, 9, 5]) await handle.replace(absent, score)
    expect(await handle.entry("s")).toMatchObject({ _tag: "Found", value: 9, siblings: 3 })
    await handle.update("s", (current) => (current ?? 0) + 1)
    expect(await handle.entry("s")).toMatchObject({ value: 10, siblings: 1 })
  })

  it("offer the operations of a data type as methods, each with its arguments", async () => {
    const handle = store.bucket(shelves)
    await handle.books.add("s", "Emma")
    await handle.books.add("s", "Persuasion")
    await handle.visits.add("s", 2)
    await handle.label.set("s", { colour: "green" })
    const removed = await handle.books.remove("s", "Emma", { consistency: "strict" })
    const value = { books: new Set(["Persuasion"]), visits: 2, label: { colour: "green" } }
    expect(removed).toMatchObject({ _tag: "Found", value })
    expect(await handle.get("s")).toEqual(value)
    expect(await handle.delete("s")).toMatchObject({ _tag: "Absent" })
  })

  it("reach nested fields by any names", async () => {
    const handle = store.bucket(nested)
    await handle.lines.add("n", "apple", 2)
    await handle.shelves.inner.add("n", "left", "top", 7)
    await handle.constructor.add("n", 1)
    await handle.toString.set("n", "text")
    expect(await handle.get("n")).toEqual({
      lines: new Map([["apple", 2]]),
      shelves: new Map([["left", new Map([["top", new Set([7])]])]]),
      constructor: 1,
      toString: "text"
    })
    await handle.lines.drop("n", "apple")
    expect((await handle.get("n"))?.lines).toEqual(new Map())
  })

  it("edit several things as one change: all or none", async () => {
    const handle = store.bucket(shelves)
    await handle.edit("s", (shelf) => [shelf.books.add("Emma"), shelf.visits.add(1)])
    expect(await handle.get("s")).toMatchObject({ books: new Set(["Emma"]), visits: 1 })
    const failing = handle.edit("s", (shelf) => [
      shelf.books.add("Persuasion"),
      shelf.visits.add(0.5)
    ])
    await expect(failing).rejects.toBeInstanceOf(Errors.InvalidValue)
    expect(await handle.get("s")).toMatchObject({ books: new Set(["Emma"]), visits: 1 })
    await expect(handle.edit("s", () => [])).rejects.toMatchObject({ setting: "calls" })
  })

  it("remove the items that a read has shown, and none that came later", async () => {
    const handle = store.bucket(shelves)
    const seen = await handle.books.add("s", "Emma")
    await handle.books.add("s", "Emma")
    await handle.books.remove("s", "Emma", { seen })
    expect((await handle.get("s"))?.books).toEqual(new Set(["Emma"]))
  })

  it("read many keys in order, present or not, and more than are sent at once", async () => {
    const handle = store.bucket(profiles)
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
    await handle.put("k7", { name: "seven" })
    const entries = await handle.many([...keys, "k7"])
    expect(entries.map(({ key }) => key)).toEqual([...keys, "k7"])
    expect(entries.flatMap((entry) => (entry._tag === "Found" ? [entry.value.name] : [])))
      .toEqual(["seven", "seven"])
    expect(await handle.many(new Set<string>())).toEqual([])
    expect(await handle.many(new Set(["k7"]), { r: "all" })).toMatchObject([{ replied: 3 }])
  })

  it("take keys of several fields, and give them back as they came", async () => {
    const handle = store.bucket(rooms)
    const key = { hotel: "Ritz", floor: -1, name: "Ü" }
    const entry = await handle.put(key, { beds: 2 })
    expect(entry.key).toEqual(key)
    expect(await handle.get({ name: "Ü", floor: -1, hotel: "Ritz" })).toEqual({ beds: 2 })
    expect(await handle.get({ ...key, floor: 1 })).toBeUndefined()
    expect(await handle.delete(key)).toMatchObject({ _tag: "Absent", key })
  })

  it("pass on a request's settings, and its deadline", async () => {
    const handle = store.bucket(profiles)
    const { id } = cluster.nodes[2]!
    cluster.cut(id)
    const options = { timeout: "50 millis" } as const
    expect(await handle.put("k", { name: "x" }, { w: 2 })).toMatchObject({ replied: 2 })
    await expect(handle.put("k", { name: "y" }, { w: "all", ...options }))
      .rejects.toMatchObject({ _tag: "QuorumNotMet", needed: { w: 3 }, unreachable: [id] })
    await expect(handle.put("k", { name: "y" }, { w: 1, dw: 3, ...options }))
      .rejects.toMatchObject({ needed: { w: 1, dw: 3 } })
    await expect(handle.put("k", { name: "y" }, { w: 1, pw: "all", timeout: 50 }))
      .rejects.toMatchObject({ needed: { pw: 3 } })
    await expect(handle.get("k", { r: "all", ...options }))
      .rejects.toMatchObject({ action: "read", needed: { r: 3 } })
    await expect(handle.entry("k", { r: 1, pr: 3, ...options }))
      .rejects.toMatchObject({ needed: { r: 1, pr: 3 } })
    await expect(handle.many(["k", "l"], { r: "all", ...options }))
      .rejects.toBeInstanceOf(Errors.QuorumNotMet)
    expect(await handle.get("k", { consistency: "available" })).toBeDefined()
  })
})
