// Checks writes that their users name, in every way to a store.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { buckets, notes, profiles, shelves } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { ways } from "./ways.ts"

let cluster: MemoryCluster
beforeEach(async () => {
  cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 2_000 })
})
afterEach(() => cluster.stop())

describe.each(ways)("%s", (_, open) => {
  it("a write is applied once under one name, and again under another", async () => {
    const store = (await open(cluster)).bucket(shelves)
    const at = (id: string) => store.visits.add("k", 1, { id, w: "all" })
    await Promise.all([at("a"), at("a"), at("a")])
    await at("a")
    expect(await at("b")).toMatchObject({ value: { visits: 2 } })
    await store.edit("k", ({ books, visits }) => [books.add("x"), visits.add(1)], { id: "c" })
    await store.edit("k", ({ books, visits }) => [books.add("x"), visits.add(1)], { id: "c" })
    expect(await store.get("k", { r: "all" })).toMatchObject({ visits: 3, books: new Set(["x"]) })
  })

  it("every method that writes takes a name", async () => {
    const way = await open(cluster)
    const store = way.bucket(notes)
    const first = await store.entry("k")
    for (let i = 0; i < 2; i++) {
      expect(await store.replace(first, "x", { id: "replace", w: "all" })).toMatchObject({
        value: ["x"]
      })
    }
    const seen = await store.entry("k", { r: "all" })
    for (let i = 0; i < 2; i++) await store.delete(seen, { id: "delete", w: "all" })
    for (let i = 0; i < 2; i++) await store.update("k", () => `y${i}`, { id: "update", w: "all" })
    expect(await store.get("k", { r: "all" })).toEqual(["y0"])
    const registers = way.bucket(profiles)
    for (const name of ["Ada", "Eve"]) await registers.put("k", { name }, { id: "put", w: "all" })
    expect(await registers.get("k", { r: "all" })).toEqual({ name: "Ada" })
  })

  it("a name that no header can carry, and a choice that is none, are refused", async () => {
    const store = (await open(cluster)).bucket(shelves)
    for (const id of ["", " x", "x\n", "ü", "x".repeat(201)]) {
      await expect(store.visits.add("k", 1, { id }))
        .rejects.toMatchObject({ _tag: "InvalidRequest", setting: "id" })
    }
    const options: any = { ifUnknown: "maybe" }
    await expect(store.visits.add("k", 1, options))
      .rejects.toMatchObject({ _tag: "InvalidRequest", setting: "ifUnknown", value: "maybe" })
    const shown: any = { show: "never" }
    await expect(store.visits.add("k", 1, shown))
      .rejects.toMatchObject({ _tag: "InvalidRequest", setting: "show", value: "never" })
  })

  it("a write of a large document is answered without it, unless that is asked for", async () => {
    const store = (await open(cluster)).bucket(shelves)
    const long = "x".repeat(20_000)
    const unshown = await store.books.add("large", long)
    expect(unshown._tag).toBe("Unshown")
    const shown = await store.books.add("large", "y", { show: "always" })
    expect(shown).toMatchObject({ value: { books: new Set([long, "y"]) } })
  })
})
