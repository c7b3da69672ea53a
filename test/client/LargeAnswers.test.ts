// Checks that a client over NATS is told the same of its reads and writes whether an answer fits
// into one message of the broker or not.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { type Db, makeDb } from "../../src/client/Promises.ts"
import * as Task from "../../src/client/Task.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { type ClientLimits, lan } from "../../src/core/model/Limits.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { explain, list } from "../cluster/asked.ts"
import { buckets, notes, shelves } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const maxPayload = 4_096

const more = Array.from(
  { length: 20 },
  (_, i) => Bucket.lww(`more-${i}`, { key: Key.text, value: Schema.String })
)

let cluster: MemoryCluster
let backend: NatsBackend
let db: Db<{ readonly notes: typeof notes; readonly shelves: typeof shelves }>
beforeEach(async () => {
  const served = [...buckets, ...more]
  // On a busy machine forty reads of several messages each take a while.
  cluster = await makeCluster({ nodes: 3, buckets: served, maxPayload, timeoutMillis: 10_000 })
  backend = new NatsBackend({
    runtime: liveRuntime,
    transport: cluster.connect(),
    cluster: clusterName
  })
  await Task.toPromise(backend.ready)
  db = makeDb({ notes, shelves }, backend, async () => backend.close())
})
afterEach(async () => {
  await db.close()
  cluster.stop()
})

/** A client whose messages pass `wire`, and with limits of its own. */
const connectWith = async (
  wire: (data: Uint8Array) => boolean,
  limits: Partial<ClientLimits> = {}
) => {
  const transport = cluster.connect()
  const subscribe: TransportService["subscribe"] = (subject, handler, options) =>
    transport.subscribe(subject, (message) => {
      if (wire(message.data)) handler(message)
    }, options)
  const wired = new NatsBackend({
    runtime: liveRuntime,
    transport: { ...transport, subscribe },
    cluster: clusterName,
    limits: { ...lan.client, firstPauseMillis: 100, ...limits }
  })
  await Task.toPromise(wired.ready)
  return { wired, own: makeDb({ notes, shelves }, wired, async () => wired.close()) }
}

const isPart = (data: Uint8Array) => Buffer.from(data.subarray(0, 8)).toString() === "{\"part\":"

const letters = (bytes: number, letter = "x") => letter.repeat(bytes)

/** Writes that have seen nothing, each of which leaves a sibling. */
const putBlindly = async (texts: ReadonlyArray<string>) => {
  const { context } = await db.notes.entry("k")
  for (const text of texts) await db.notes.replace({ key: "k", context }, text)
}

describe("a client whose broker takes 4,096 bytes", () => {
  it("adds to a set, and to a counter beside it, beyond that size, each time once", async () => {
    for (let i = 0; i < 10; i++) {
      const element = `${i} ${letters(2_000)}`
      const entry = await db.shelves.books.add("k", element, { show: "always" })
      expect(entry).toMatchObject({ _tag: "Found" })
      await db.shelves.visits.add("k", 1)
    }
    const shelf = await db.shelves.get("k")
    expect(shelf?.books.size).toBe(10)
    expect(shelf?.visits).toBe(10)
  })

  it("reads, replaces and deletes siblings that are larger together", async () => {
    const texts = [letters(3_000, "a"), letters(3_000, "b"), letters(3_000, "c")]
    await putBlindly(texts)
    const entry = await db.notes.entry("k")
    expect(entry._tag === "Found" && entry.value.toSorted()).toEqual(texts)
    expect(await db.notes.replace(entry, "one")).toMatchObject({ value: ["one"] })
    await putBlindly(texts)
    expect(await db.notes.update("k", (all) => `${all?.length} texts`)).toMatchObject({
      value: ["3 texts"]
    })
    await putBlindly(texts)
    expect(await db.notes.delete("k")).toMatchObject({ _tag: "Absent" })
  })

  it("reads many documents of which each takes several messages", async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    for (const key of keys) {
      for (const name of ["a", "b", "c"]) await db.shelves.books.add(key, letters(1_500, name))
    }
    const entries = await db.shelves.many(keys)
    expect(entries.map((entry) => entry._tag === "Found" && entry.value.books.size))
      .toEqual(keys.map(() => 3))
  })

  it("describes, lists and explains beyond that size", async () => {
    const described = await new Promise<object>((resolve) => backend.describe(resolve))
    expect(described).toHaveProperty("buckets.length", 25)
    const keys = Array.from({ length: 20 }, (_, i) => `${i} ${letters(400)}`)
    for (const key of keys) await db.notes.replace(await db.notes.entry(key), "x")
    expect((await list(backend, "notes")).keys).toHaveLength(20)
    await putBlindly([letters(3_000, "a"), letters(3_000, "b")])
    const explained = await explain(backend, "notes", { key: "k" })
    expect(explained).toMatchObject({ agreed: true, joined: { values: { length: 2 } } })
  })
})

describe("a client that loses parts of its answers", () => {
  it("asks again, and each write is done once", async () => {
    let parts = 0
    let isLossy = false
    // Of seven parts one is lost, once the client knows the cluster.
    const { own } = await connectWith((data) => !isLossy || !isPart(data) || parts++ % 7 !== 2)
    isLossy = true
    for (let i = 0; i < 6; i++) await own.shelves.books.add("k", `${i} ${letters(1_500)}`)
    for (let i = 0; i < 6; i++) await own.shelves.visits.add("k", 1)
    expect(await own.shelves.get("k")).toMatchObject({ visits: 6, books: { size: 6 } })
    await own.close()
  })
})

describe("a write whose answer is more than its client takes", () => {
  it("is done, and its entry is a context without a value, each time that it is sent", async () => {
    const { own } = await connectWith(() => true, { answerBytesMax: 9_000 })
    const last = letters(3_500, "z")
    for (const letter of ["x", "y"]) {
      const entry = await own.shelves.books.add("s", letters(3_000, letter))
      expect(entry).toMatchObject({ _tag: "Found" })
    }
    const add = () => own.shelves.books.add("s", last, { id: "add-3" })
    const entries = [await add(), await add()]
    for (const entry of entries) {
      expect(entry).toMatchObject({ _tag: "Unshown", bucket: "shelves", key: "s" })
      expect(entry).not.toHaveProperty("value")
    }
    await expect(own.shelves.get("s")).rejects.toMatchObject({
      _tag: "InvalidRequest",
      setting: "answer"
    })
    expect((await db.shelves.get("s"))?.books.size).toBe(3)
    const removed = await own.shelves.books.remove("s", last, { seen: entries[0]! })
    expect(removed._tag === "Found" && removed.value.books.size).toBe(2)
    await own.close()
  })
})
