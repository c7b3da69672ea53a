/**
 * States what a storage does when it cannot commit: the part of its contract about failures.
 */
import { expect, it } from "vitest"
import {
  batchOf,
  commit,
  commitRows,
  keyOf,
  note,
  put,
  removal,
  shown,
  shownRow
} from "../storage/documents.ts"
import {
  failCommits,
  type Fixture,
  type OpenOptions,
  type Suite
} from "../storage/storageFixtures.ts"

const cart = keyOf("scart")
const poison = keyOf("spoison")
const failing = { kind: "failing", detail: expect.stringContaining("injected") }

const reopen = async (at: () => Fixture, options: OpenOptions): Promise<void> => {
  await at().storage.close()
  at().storage = await at().fixture.open(options)
}

const failingDisk: Suite = (at) => {
  it("a failed commit fails and hides every waiting change, then the next one works", async () => {
    const { service } = at().storage
    await commit(service, put(cart, "v1", { a: "1" }))
    await commitRows(service, note("mode", "1"))
    const mend = failCommits(at().fixture)
    const done = Promise.all([
      commit(service, put(cart, "v2", { b: "2" }, 2)),
      commitRows(service, note("mode", "2")),
      commit(service, put(keyOf("snew"), "v1")),
      commit(service, removal(cart)),
      new Promise(service.barrier)
    ])
    expect(service.read(cart)._tag).toBe("Absent")
    expect(await done).toMatchObject([failing, failing, failing, failing, failing])
    expect(shown(service.read(cart))).toBe("v1{a=1}")
    expect(service.read(keyOf("snew"))._tag).toBe("Absent")
    expect(shownRow(service.readRow("metadata", ["mode"]))).toBe("1")
    expect(service.scan({ partition: 7, after: undefined, limit: 9 })).toEqual([cart])
    expect(service.healthy()).toBe(false)
    expect(service.stats()).toMatchObject({ failures: 1, waiting: 0 })
    mend()
    expect(await commit(service, put(cart, "v3", { a: "3" }))).toBeUndefined()
    expect(shown(service.read(cart))).toBe("v3{a=3}")
    expect(service.healthy()).toBe(true)
  })

  it("the kept groups are a prefix of the accepted ones, as their writers are told", async () => {
    await reopen(at, { limits: { groupChangesMax: 3 } })
    const { service } = at().storage
    failCommits(at().fixture, "row.partition_key = 'spoison'")
    const keys = Array.from({ length: 40 }, (_, i) => i === 20 ? poison : keyOf(`s${i}`))
    const outcomes = await Promise.all(keys.map((key) => commit(service, put(key, "v"))))
    const kept = outcomes.findIndex((failure) => failure !== undefined)
    expect(kept).toBeLessThanOrEqual(20)
    expect(outcomes.slice(kept)).toMatchObject(keys.slice(kept).map(() => failing))
    const read = () => keys.map((key) => at().storage.service.read(key)._tag)
    const expected = keys.map((_, i) => i < kept ? "Found" : "Absent")
    expect(read()).toEqual(expected)
    await reopen(at, {})
    expect(read()).toEqual(expected)
  })

  it("changes written together are kept together or not at all", async () => {
    await reopen(at, { limits: { groupChangesMax: 1 } })
    const { service } = at().storage
    const mend = failCommits(at().fixture, "row.partition_key = 'spoison'")
    const both = [put(cart, "v1"), put(poison, "v1")]
    expect(await commit(service, ...both)).toMatchObject(failing)
    expect([cart, poison].map((key) => service.read(key)._tag)).toEqual(["Absent", "Absent"])
    mend()
    expect(await commit(service, ...both)).toBeUndefined()
    expect([cart, poison].map((key) => shown(service.read(key)))).toEqual(["v1{}", "v1{}"])
    expect(service.stats()).toMatchObject({ groups: 1, changes: 2 })
  })

  it("a caller may write again from the answer, be it good or bad", async () => {
    const { service } = at().storage
    const mend = failCommits(at().fixture)
    const answers: Array<string> = []
    await new Promise<void>((resolve) => {
      const attempt = (): void =>
        void service.write(batchOf(put(cart, `v${answers.length}`)), (failure) => {
          answers.push(failure?.kind ?? "committed")
          if (answers.length === 2) mend()
          if (answers.length === 4) resolve()
          else attempt()
        })
      attempt()
    })
    expect(answers).toEqual(["failing", "failing", "committed", "committed"])
    expect(shown(service.read(cart))).toBe("v3{}")
  })
}

const fullDisk: Suite = (at) => {
  it("a full disk refuses writes, serves reads, and takes writes once there is room", async () => {
    await reopen(at, { limits: { storageBytesMax: 40 * 4096 } })
    const { service } = at().storage
    const large = "x".repeat(3000)
    const keys = Array.from({ length: 60 }, (_, i) => keyOf(`s${i}`))
    const kept: Array<typeof cart> = []
    for (const key of keys) {
      const failure = await commit(service, put(key, large))
      if (failure !== undefined) {
        expect(failure.kind).toBe("full")
        break
      }
      kept.push(key)
    }
    expect(kept.length).toBeGreaterThan(10)
    expect(kept.length).toBeLessThan(40)
    expect(service.healthy()).toBe(false)
    const found = keys.filter((key) => service.read(key)._tag === "Found")
    expect(found).toEqual(kept)
    expect(await commit(service, ...kept.slice(0, 5).map(removal))).toBeUndefined()
    expect(await commit(service, put(keys.at(-1)!, large))).toBeUndefined()
    expect(service.healthy()).toBe(true)
  })
}

const overload: Suite = (at) => {
  it("a write without room to wait is refused at once, and accepted later", async () => {
    await reopen(at, { limits: { waitingChangesMax: 3 } })
    const { service } = at().storage
    const waiting = ["sa", "sb", "sc"].map((name) => commit(service, put(keyOf(name), "v")))
    let refused: unknown
    service.write(batchOf(put(cart, "v")), (failure) => (refused = failure))
    expect(refused).toMatchObject({ kind: "overloaded" })
    expect(service.read(cart)._tag).toBe("Absent")
    expect(service.healthy()).toBe(true)
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined])
    expect(await commit(service, put(cart, "v"))).toBeUndefined()
  })

  it("bytes that wait are bounded too, but a large change on its own is taken", async () => {
    await reopen(at, { limits: { waitingBytesMax: 1000 } })
    const { service } = at().storage
    const large = put(cart, "x".repeat(2000))
    const first = commit(service, large)
    expect(await commit(service, put(poison, "v"))).toMatchObject({ kind: "overloaded" })
    expect(await first).toBeUndefined()
    expect(await commit(service, put(poison, "v"))).toBeUndefined()
  })

  it("writes of one turn share groups of the size that is allowed", async () => {
    await reopen(at, { limits: { groupChangesMax: 10 } })
    const { service } = at().storage
    const keys = Array.from({ length: 25 }, (_, i) => keyOf(`s${i}`))
    const order: Array<string> = []
    await Promise.all(
      keys.map((key) =>
        new Promise<void>((resolve) =>
          service.write(batchOf(put(key, "v")), () => {
            order.push(key.partitionKey)
            resolve()
          })
        )
      )
    )
    expect(order).toEqual(keys.map((key) => key.partitionKey))
    expect(service.stats()).toMatchObject({ groups: 3, changes: 25 })
  })
}

export const failures: Suite = (at) => {
  failingDisk(at)
  fullDisk(at)
  overload(at)
}
