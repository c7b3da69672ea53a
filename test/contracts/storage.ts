/**
 * States what every implementation of the storage service keeps, whatever lies beneath it.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { StorageUnavailable } from "../../src/storage/Storage.ts"
import type { LogLimits } from "../../src/storage/StorageOptions.ts"
import { batchOf, bytesOf, commit, keyOf, put, removal, shown } from "../storage/documents.ts"
import {
  type Fixture,
  identity,
  type StorageFixture,
  type Suite
} from "../storage/storageFixtures.ts"
import { damage } from "./storageDamage.ts"
import { failures } from "./storageFailures.ts"
import { rows } from "./storageRows.ts"
import { sequences } from "./storageSequences.ts"

const cart = keyOf("scart")

const reading: Suite = (at) => {
  it("a read sees a write as soon as it is accepted, and it is acknowledged later", async () => {
    const { service } = at().storage
    let acknowledged = false
    const done = new Promise((resolve) =>
      service.write(batchOf(put(cart, "v1")), (failure) => {
        acknowledged = true
        resolve(failure)
      })
    )
    expect(shown(service.read(cart))).toBe("v1{}")
    expect(acknowledged).toBe(false)
    expect(service.stats().waiting).toBe(1)
    expect(await done).toBeUndefined()
    expect(shown(service.read(cart))).toBe("v1{}")
    expect(service.stats()).toMatchObject({ groups: 1, changes: 1, waiting: 0 })
  })

  it("a header of any length is read alone as it is read with its elements", async () => {
    const { service } = at().storage
    for (const length of [0, 1, 4_095, 4_096, 4_097, 100_000, 5_000_000]) {
      const header = "x".repeat(length)
      const done = commit(service, put(cart, header, { a: "1" }))
      for (const phase of ["accepted", "committed"]) {
        const [whole, alone] = [service.read(cart), service.readHeader(cart)]
        if (whole._tag !== "Found" || alone._tag !== "Found") {
          throw new Error(`${phase}, ${length} bytes: ${whole._tag}, alone ${alone._tag}`)
        }
        const { header: bytes, sequence } = alone.document
        expect(Buffer.compare(bytes, bytesOf(header))).toBe(0)
        expect(sequence).toBe(whole.document.sequence)
        await done
      }
    }
    expect(service.stats().damaged).toBe(0)
  })

  it("bytes of any length come back after another opening", async () => {
    const sizes = [0, 1, 500, 4_096, 20_000, 31_000, 33_000, 50_000, 64_000, 66_000, 200_000]
    const { service } = at().storage
    for (const size of sizes) await commit(service, put(keyOf(`s${size}`), "x".repeat(size)))
    const lengths = () =>
      sizes.map((size) => {
        const found = at().storage.service.read(keyOf(`s${size}`))
        return found._tag === "Found" ? found.document.header.length : found._tag
      })
    expect(lengths()).toEqual(sizes)
    await at().storage.close()
    at().storage = await at().fixture.open()
    expect(lengths()).toEqual(sizes)
  })

  it("a barrier answers once all that was accepted before it is committed", async () => {
    const { service } = at().storage
    const order: Array<string> = []
    service.barrier((failure) => order.push(`idle ${failure?.kind}`))
    service.write(batchOf(put(cart, "v1")), () => order.push("v1"))
    const done = new Promise((resolve) =>
      service.barrier((failure) => {
        order.push("barrier")
        resolve(failure)
      })
    )
    service.write(batchOf(put(cart, "v2")), () => order.push("v2"))
    expect(order).toEqual(["idle undefined"])
    expect(await done).toBeUndefined()
    expect(order.slice(0, 3)).toEqual(["idle undefined", "v1", "barrier"])
  })

  it("a key never written is absent", () => {
    expect(at().storage.service.read(cart)).toEqual({ _tag: "Absent" })
  })

  it("a change of some elements leaves the others, waiting or committed", async () => {
    const { service } = at().storage
    await commit(service, put(cart, "v1", { a: "1", b: "2", c: "3" }))
    const done = commit(service, put(cart, "v2", { b: undefined, d: "4" }, 3))
    expect(shown(service.read(cart))).toBe("v2{a=1,c=3,d=4}")
    await done
    expect(shown(service.read(cart))).toBe("v2{a=1,c=3,d=4}")
  })

  it("several waiting changes of one document are read as one", async () => {
    const { service } = at().storage
    await commit(service, put(cart, "v1", { b: "1" }))
    const done = Promise.all([
      commit(service, put(cart, "v2", { a: "2" }, 2)),
      commit(service, removal(cart)),
      commit(service, put(cart, "v3", { z: "3" }, 1)),
      commit(service, put(cart, "v4", { c: "4" }, 2))
    ])
    expect(shown(service.read(cart))).toBe("v4{c=4,z=3}")
    expect(await done).toEqual([undefined, undefined, undefined, undefined])
    expect(shown(service.read(cart))).toBe("v4{c=4,z=3}")
  })

  it("a removed document is absent with all its elements, and starts afresh", async () => {
    const { service } = at().storage
    await commit(service, put(cart, "v1", { a: "1" }))
    const done = commit(service, removal(cart))
    expect(service.read(cart)).toEqual({ _tag: "Absent" })
    await done
    expect(service.read(cart)).toEqual({ _tag: "Absent" })
    await commit(service, put(cart, "v2", { b: "2" }))
    expect(shown(service.read(cart))).toBe("v2{b=2}")
  })

  it("empty bytes, large bytes and any well-formed text come back as they were", async () => {
    const { service } = at().storage
    const key = keyOf("s\u{1F6D2} ''\"", { bucket: "b-1", sortKey: "\u0001\uFFFD\u{10FFFF}" })
    const large = bytesOf("x".repeat(5_000_000))
    const elements = [["e\u0301", new Uint8Array(0)], ["\u{1F6D2}", large]] as const
    const change = { key, header: new Uint8Array(0), elements, elementCount: 2 }
    expect(await commit(service, change)).toBeUndefined()
    const read = service.read(key)
    if (read._tag !== "Found") throw new Error(read._tag)
    expect(read.document.header).toEqual(new Uint8Array(0))
    expect([...read.document.elements.keys()]).toEqual(["e\u0301", "\u{1F6D2}"])
    expect(Buffer.compare(read.document.elements.get("\u{1F6D2}")!, large)).toBe(0)
  })
}

const tables: Suite = (at) => {
  it("the header of a document is read alone, and as soon as it is accepted", async () => {
    const { service } = at().storage
    const header = () => {
      const result = service.readHeader(cart)
      return result._tag === "Found"
        ? `${Buffer.from(result.document.header).toString()} ${result.document.sequence > 0}`
        : result._tag
    }
    expect(header()).toBe("Absent")
    const done = commit(service, put(cart, "v1", { a: "1" }))
    expect(header()).toBe("v1 true")
    await done
    expect(header()).toBe("v1 true")
    at().fixture.raw((database) =>
      database.exec("UPDATE documents SET bytes = x'00' WHERE path = 'a'")
    )
    expect(header()).toBe("v1 true")
    at().fixture.raw((database) => database.exec("UPDATE documents SET bytes = x'00'"))
    expect(header()).toBe("Damaged")
    at().fixture.raw((database) => database.exec("DELETE FROM documents WHERE path = ''"))
    expect(header()).toBe("Damaged")
    await commit(service, removal(cart))
    expect(header()).toBe("Absent")
  })

  it("an acknowledged write can be read by another connection", async () => {
    await commit(at().storage.service, put(cart, "v1", { a: "1" }))
    const found = at().fixture.raw((database) =>
      database.prepare("SELECT path FROM documents").all()
    )
    expect(found.map((row) => row["path"])).toEqual(["", "a"])
  })
}

const scanning: Suite = (at) => {
  it("a scan lists one partition in key order, page by page, waiting and committed", async () => {
    const { service } = at().storage
    // Beyond U+FFFF UTF-16 order and UTF-8 order differ: the keys are sorted by the latter.
    const names = ["sa", "sb", "sb\u0001", "s\uFFFD", "s\u{1F6D2}"]
    const keys = names.flatMap((name) =>
      ["", "i1", "i2"].map((sortKey) => keyOf(name, { sortKey }))
    )
    const all = [...keys, ...keys.map((key) => ({ ...key, bucket: "carts-2" }))]
    const elsewhere = all.map((key) => ({ ...key, partition: 8 }))
    const [stored, rest] = [0, 1].map((odd) =>
      [...all, ...elsewhere].filter((_, index) => index % 2 === odd)
    )
    await commit(service, ...stored!.map((key) => put(key, "v")))
    const done = commit(service, ...rest!.map((key) => put(key, "v", { e: "1" })))
    for (const phase of ["waiting", "committed"]) {
      expect(service.scan({ partition: 7, after: undefined, limit: 100 }), phase).toEqual(all)
      const pages = all.map((_, index) =>
        service.scan({ partition: 7, after: all[index - 1], limit: 1 })
      )
      expect(pages.flat(), phase).toEqual(all)
      expect(service.scan({ partition: 7, after: all.at(-1), limit: 1 }), phase).toEqual([])
      await done
    }
  })

  it("a scan leaves out and does not count removed documents, waiting or committed", async () => {
    const { service } = at().storage
    const keys = ["sa", "sb", "sc", "sd"].map((name) => keyOf(name))
    await commit(service, ...keys.map((key) => put(key, "v", { e: "1" })))
    const done = commit(service, removal(keys[0]!), removal(keys[2]!))
    for (const phase of ["waiting", "committed"]) {
      const page = service.scan({ partition: 7, after: undefined, limit: 2 })
      expect(page, phase).toEqual([keys[1], keys[3]])
      await done
    }
  })
}

const opening: Suite = (at) => {
  const reopen = async (...options: Parameters<StorageFixture["open"]>): Promise<unknown> => {
    await at().storage.close()
    return at().fixture.open(...options).then(
      (storage) => (at().storage = storage),
      (error: unknown) => error
    )
  }

  it("everything accepted before closing is there after reopening", async () => {
    const { service } = at().storage
    const keys = Array.from({ length: 700 }, (_, i) => keyOf(`s${i}`))
    const done = keys.map((key) => commit(service, put(key, key.partitionKey)))
    await reopen()
    expect(await Promise.all(done)).toEqual(keys.map(() => undefined))
    for (const key of keys) {
      expect(shown(at().storage.service.read(key))).toBe(`${key.partitionKey}{}`)
    }
  })

  it("a write after closing is refused as closed", async () => {
    const { service } = at().storage
    await at().storage.close()
    expect(await commit(service, put(cart, "late"))).toMatchObject({ kind: "closed" })
    at().storage = await at().fixture.open()
    expect(at().storage.service.read(cart)._tag).toBe("Absent")
  })

  it("a second storage on the same fixture is refused until the first is closed", async () => {
    const refused = await at().fixture.open().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(StorageUnavailable)
    expect(refused).toMatchObject({
      path: at().fixture.directory ?? ":memory:",
      reason: expect.stringContaining("another storage")
    })
    expect(await commit(at().storage.service, put(cart, "v1"))).toBeUndefined()
    await reopen()
    expect(shown(at().storage.service.read(cart))).toBe("v1{}")
  })

  it.each([
    { ...identity, node: "n2" },
    { ...identity, cluster: "other" },
    { ...identity, partitionCount: 128 }
  ])("the data of another node, cluster or number of partitions is refused: %o", async (other) => {
    const refused = await reopen({ identity: other })
    expect(refused).toBeInstanceOf(StorageUnavailable)
    expect(refused).toMatchObject({
      reason: expect.stringMatching(/belongs to node "n1" of cluster "test" with 256 partitions/)
    })
    at().storage = await at().fixture.open()
  })

  it.each([
    ["a later format version", "PRAGMA user_version = 99", /version 99 is newer than/],
    ["a file of another program", "PRAGMA application_id = 1", /not a file of everwrite/],
    ["a file without an owner", "DELETE FROM identity", /does not say whose/]
  ])("%s is refused", async (_, spoil, reason) => {
    at().fixture.raw((database) => database.exec(spoil))
    const refused = await reopen()
    expect(refused).toBeInstanceOf(StorageUnavailable)
    expect(refused).toMatchObject({ reason: expect.stringMatching(reason) })
  })
}

const contract = (
  name: string,
  makeFixture: () => StorageFixture,
  suites: Readonly<Record<string, Suite>>
): void => {
  describe.each(Object.entries(suites))(`${name}, %s`, (_, suite) => {
    let at: Fixture
    beforeEach(async () => {
      const fixture = makeFixture()
      at = { fixture, storage: await fixture.open() }
    })
    afterEach(async () => {
      await at.storage.close()
      at.fixture.remove()
    })
    suite(() => at)
  })
}

/** Some suites look into the tables or damage them: a store without a log has all rows there. */
export const storageContract = (
  name: string,
  makeFixture: (limits: Partial<LogLimits>) => StorageFixture
): void => {
  const anywhere = { reading, scanning, opening }
  const inTables = { tables, rows, sequences, damage, failures }
  const withoutLog = () => makeFixture({ logBytesMax: 0 })
  contract(`${name}, without a log`, withoutLog, { ...anywhere, ...inTables })
  // A log of a group or two, so that each test meets folds.
  const smallLog = () => makeFixture({ logBytesMax: 2_000, foldRowsMax: 2 })
  contract(`${name}, with a small log`, smallLog, anywhere)
  contract(`${name}, with a log`, () => makeFixture({}), anywhere)
}
