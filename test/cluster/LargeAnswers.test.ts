// Checks over a real nats-server, with its usual max_payload and with a small one, that no outcome
// depends on whether its answer fits into a message.
import { expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { connectWith } from "../../src/client/Promises.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import type { Served } from "./memoryCluster.ts"
import { describeWithNats, startNatsServer } from "../tooling/natsServer.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { notes } from "./buckets.ts"
import { natsClusterName, startNatsCluster } from "./natsCluster.ts"

const carts = Bucket.crdt("carts", {
  key: Key.text,
  type: Crdt.document({
    lines: Crdt.map(Crdt.counter),
    tags: Crdt.set(Schema.String),
    coupon: Crdt.register(Schema.String)
  })
})
const buckets = [carts, notes]

const connect = (servers: string) =>
  connectWith(liveRuntime, { carts, notes }, { servers, cluster: natsClusterName })

type Db = Awaited<ReturnType<typeof connect>>

const onCluster = async (
  { config = "", served = buckets }: { readonly config?: string; readonly served?: Served },
  task: (db: Db, url: string) => Promise<void>
): Promise<void> => {
  const server = await startNatsServer(config)
  try {
    const cluster = await startNatsCluster({
      servers: server.url,
      buckets: served,
      storage: "direct",
      connection: () => ({ answersApart: true })
    })
    try {
      const db = await connect(server.url)
      await task(db, server.url)
      await db.close()
    } finally {
      await cluster.stop()
    }
  } finally {
    await server.stop()
  }
}

const letters = (count: number, letter = "x") => letter.repeat(count)

/** So many buckets that the description of the cluster is longer than `max_payload`. */
const bucketsOf = (count: number): Served => [
  ...buckets,
  ...Array.from(
    { length: count },
    (_, i) => Bucket.lww(`more-${i}`, { key: Key.text, value: Schema.String })
  )
]

/** Writes that have seen nothing, which leave as many siblings. */
const putBlindly = async (db: Db, key: string, texts: ReadonlyArray<string>): Promise<void> => {
  const { context } = await db.notes.entry(key)
  for (const text of texts) await db.notes.replace({ key, context }, text)
}

const timeout = 60_000

describeWithNats("a nats-server", () => {
  it(
    "with a coupon as long as a message takes each addition, once",
    { timeout },
    () =>
      onCluster({}, async (db) => {
        // The longest that a request carries, beside which its answer does not fit.
        await db.carts.coupon.set("k", letters(1_048_000))
        for (let i = 0; i < 3; i++) {
          const added = await db.carts.lines.add("k", "apple", 1, { show: "always" })
          expect(added).toMatchObject({ _tag: "Found" })
        }
        expect((await db.carts.get("k"))?.lines.get("apple")).toBe(3)
        for (let i = 0; i < 4; i++) await db.carts.tags.add("set", `${i}${letters(400_000)}`)
        expect((await db.carts.get("set"))?.tags.size).toBe(4)
      })
  )

  it(
    "lets siblings of 400 kB be read, updated and deleted",
    { timeout },
    () =>
      onCluster({}, async (db) => {
        const texts = ["a", "b", "c"].map((letter) => letters(400_000, letter))
        await putBlindly(db, "k", texts)
        const entry = await db.notes.entry("k")
        expect(entry._tag === "Found" && entry.value.toSorted()).toEqual(texts)
        expect(await db.notes.update("k", (all) => `${all?.length}`)).toMatchObject({
          value: ["3"]
        })
        await putBlindly(db, "other", texts)
        expect(await db.notes.delete("other")).toMatchObject({ _tag: "Absent" })
      })
  )

  it(
    "locks nobody out of a key with two blind puts of 600 kB",
    { timeout },
    () =>
      onCluster({}, async (db, url) => {
        await putBlindly(db, "k", [letters(600_000, "a"), letters(600_000, "b")])
        const other = await connect(url)
        expect((await other.notes.get("k"))?.length).toBe(2)
        expect(await other.notes.update("k", () => "settled")).toMatchObject({ value: ["settled"] })
        expect(await other.notes.delete("k")).toMatchObject({ _tag: "Absent" })
        await other.close()
      })
  )

  it(
    "refuses a value larger than a message before it is sent",
    { timeout },
    () =>
      onCluster({}, async (db) => {
        const { context } = await db.notes.entry("k")
        await expect(db.notes.replace({ key: "k", context }, letters(1_500_000)))
          .rejects.toMatchObject({
            _tag: "InvalidRequest",
            setting: "request",
            value: expect.stringMatching(/^1500\d{3} bytes$/u),
            expected: "at most 1048574 bytes, by the broker's max_payload"
          })
        expect(await db.notes.get("k")).toBeUndefined()
      })
  )

  it(
    "with 1,700 buckets takes clients",
    { timeout },
    () =>
      onCluster({ served: bucketsOf(1_700) }, async (db) => {
        expect(await db.notes.get("k")).toBeUndefined()
      })
  )

  it("with a max_payload of 4,096 takes clients of 20 buckets, and large documents", {
    timeout
  }, () =>
    onCluster({ config: "max_payload: 4096", served: bucketsOf(20) }, async (db) => {
      for (let i = 0; i < 10; i++) await db.carts.tags.add("k", `${i}${letters(2_000)}`)
      expect((await db.carts.get("k"))?.tags.size).toBe(10)
      await putBlindly(db, "n", [letters(3_000, "a"), letters(3_000, "b")])
      expect(await db.notes.delete("n")).toMatchObject({ _tag: "Absent" })
    }))

  it(
    "takes many large answers to one client at once",
    { timeout },
    () =>
      onCluster({}, async (db) => {
        const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
        for (const key of keys) {
          for (const name of ["a", "b"]) await db.carts.tags.add(key, letters(600_000, name))
        }
        const entries = await db.carts.many(keys, { timeout: "20 seconds" })
        expect(
          entries.filter((entry) => entry._tag === "Found" && entry.value.tags.size === 2).length
        )
          .toBe(20)
      })
  )
})
