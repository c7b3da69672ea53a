// Checks that what goes wrong with causal contexts elsewhere cannot go wrong here, or is an error
// that names it. What the compiler refuses stands in Types.test-d.ts.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { contextOf, type Written } from "../../src/client/Entry.ts"
import * as Errors from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { buckets, notes, profiles, scores, shelves } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { until } from "../tooling/until.ts"
import { ways, type WayToStore } from "./ways.ts"

describe.each(ways)("%s", (_, open) => {
  let cluster: MemoryCluster
  let store: WayToStore
  beforeEach(async () => {
    cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 10_000 })
    store = await open(cluster)
  })
  afterEach(() => cluster.stop())

  it("offers no blind put where it would lose the context", () => {
    const handles = [notes, scores, shelves].map((bucket) => store.bucket<Any>(bucket))
    for (const handle of handles) expect("put" in handle).toBe(false)
    expect("put" in store.bucket(profiles)).toBe(true)
  })

  it("refuses the context of another key, though it is of the same bucket", async () => {
    const handle = store.bucket(notes)
    const seen = await handle.replace(await handle.entry("a"), "x")
    const wrong = handle.replace({ key: "b", context: seen.context }, "y")
    await expect(wrong).rejects.toBeInstanceOf(Errors.BadContext)
    await expect(wrong).rejects.toMatchObject({ reason: "other-document" })
    await expect(handle.delete({ key: "b", context: seen.context }))
      .rejects.toBeInstanceOf(Errors.BadContext)
  })

  it("has no value where nothing is stored", async () => {
    const entry = await store.bucket(notes).entry("none")
    expect(entry._tag).toBe("Absent")
    expect("value" in entry).toBe(false)
    expect(entry.context.length).toBeGreaterThan(0)
  })

  it("gives each write's new context back, so that a chain leaves one value", async () => {
    const handle = store.bucket(notes)
    let entry: Written<"notes", string, unknown> = await handle.entry("n")
    for (let i = 0; i < 10; i++) entry = await handle.replace(entry, `v${i}`)
    expect(entry).toMatchObject({ _tag: "Found", value: ["v9"], siblings: 1 })
  })

  it("merges by the declaration, wherever and however the document is read", async () => {
    const handle = store.bucket(scores)
    const absent = await handle.entry("s")
    for (const score of [1, 5, 3]) await handle.replace(absent, score, { w: "all" })
    const again = await open(cluster)
    expect(await again.bucket(scores).get("s")).toBe(5)
    expect(await handle.many(["s"])).toMatchObject([{ value: 5 }])
    expect(await handle.entry("s", { r: 1 })).toMatchObject({ siblings: 3 })
  })

  it("takes a context back from text, as a stateless web handler keeps it", async () => {
    const handle = store.bucket(notes)
    const seen = await handle.replace(await handle.entry("n"), "x")
    const header: string = seen.context
    const restored = { key: "n", context: contextOf(notes, header) }
    expect(await handle.replace(restored, "y")).toMatchObject({ value: ["y"] })
    for (const text of ["", "nonsense", header.slice(1)]) {
      await expect(handle.replace({ key: "n", context: contextOf(notes, text) }, "z"))
        .rejects.toBeInstanceOf(Errors.BadContext)
    }
  })

  it("refuses values that JSON would change, with their path, also in edits by hand", async () => {
    const handle = store.bucket(shelves)
    const values: ReadonlyArray<any> = [new Map(), Infinity, { toJSON: () => "other" }]
    for (const value of values) {
      const byHand = handle.edit("s", () => [{ name: "label.set", args: [{ a: [value] }] }])
      const path = expect.stringContaining("$[0].a[0]")
      await expect(byHand).rejects.toMatchObject({ _tag: "InvalidValue", path })
      await expect(handle.label.set("s", { a: [value] }))
        .rejects.toMatchObject({ _tag: "InvalidValue", path })
    }
    expect(await handle.get("s")).toBeUndefined()
  })

  it("says of a write without an answer whether it may have applied", async () => {
    for (const { id } of cluster.nodes.slice(1)) cluster.cut(id)
    const handle = store.bucket(shelves)
    const failing = handle.visits.add("s", 1, { timeout: "30 millis", w: "all" })
    await expect(failing).rejects.toMatchObject({ mayHaveApplied: true })
    await expect(handle.visits.add("s", 0.5)).rejects.not.toHaveProperty("mayHaveApplied")
  })

  it("never reads backwards in a session, and says so where it cannot read at all", async () => {
    const session = await store.session()
    cluster.cut(cluster.nodes[0]!.id)
    const other = await open({ ...cluster, backends: [...cluster.backends].reverse() })
    await session.bucket(profiles).put("k", { name: "new" }, { w: 1 })
    const handle = session.bucket(profiles)
    for (let i = 0; i < 3; i++) {
      expect(await handle.get("k", { r: 1 })).toEqual({ name: "new" })
    }
    cluster.heal()
    expect(await other.bucket(profiles).get("k", { r: "all" })).toEqual({ name: "new" })
  })

  it("deletes by an entry the values that it has shown, and by a key all values", async () => {
    const handle = store.bucket(notes)
    const seen = await handle.replace(await handle.entry("n"), "old")
    await handle.update("n", () => "new")
    const left = await handle.delete(seen)
    expect(left).toMatchObject({ _tag: "Found", value: ["new"] })
    expect(await handle.delete("n")).toMatchObject({ _tag: "Absent" })
    await handle.replace(seen, "again")
    expect(await handle.get("n")).toEqual(["again"])
  })

  it("is refused where it means another thing by a bucket than the nodes do", async () => {
    const other = Bucket.lww("profiles", { key: Key.text, value: Schema.String })
    const handle = store.bucket(other)
    await expect(handle.put("k", "x")).rejects.toBeInstanceOf(Errors.BucketMismatch)
    await expect(handle.get("k")).rejects.toMatchObject({
      expected: profiles.fingerprint,
      actual: other.fingerprint
    })
  })

  it("answers a session's next read although many of its writes ran side by side", async () => {
    const session = await store.session()
    const handle = session.bucket(shelves)
    const written = Array.from({ length: 150 }, () => handle.visits.add("s", 1))
    await Promise.all(written)
    expect((await handle.get("s"))?.visits).toBe(150)
    expect((await handle.visits.add("s", 1))._tag).toBe("Found")
    await until(
      "no request is open",
      () => cluster.nodes.every(({ core }) => core.coordinator.underWay() === 0)
    )
  })
})
