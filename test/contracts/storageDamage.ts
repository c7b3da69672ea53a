/**
 * States what a storage makes of a disk that changes what was written: the part of its contract
 * about damage.
 */
import { beforeEach, describe, expect, it } from "vitest"
import { ScanFailed } from "../../src/storage/Storage.ts"
import { bytesOf, commit, keyOf, put, removal, shown } from "../storage/documents.ts"
import type { Suite } from "../storage/storageFixtures.ts"

const cart = keyOf("scart")

const damagedDocuments: Suite = (at) => {
  const update = (set: string, path: string) =>
    at().fixture.raw((database) =>
      database.prepare(`UPDATE documents SET ${set} WHERE path = ?`).run(path)
    )

  beforeEach(async () => {
    await commit(at().storage.service, put(cart, "header", { a: "first", b: "second" }))
  })

  it("every flipped bit of a header or an element is found", async () => {
    const { service } = at().storage
    const flips = at().fixture.raw((database) => {
      const set = database.prepare("UPDATE documents SET bytes = ? WHERE path = ?")
      const outcomes: Array<string> = []
      for (const [path, text] of [["", "header"], ["b", "second"]] as const) {
        for (let bit = 0; bit < text.length * 8; bit++) {
          const bytes = bytesOf(text)
          bytes[bit >> 3]! ^= 1 << (bit & 7)
          set.run(bytes, path)
          outcomes.push(service.read(cart)._tag)
        }
        set.run(bytesOf(text), path)
      }
      return outcomes
    })
    expect(flips).toEqual(flips.map(() => "Damaged"))
    expect(service.stats().damaged).toBe(flips.length)
    expect(shown(service.read(cart))).toBe("header{a=first,b=second}")
  })

  it.each([
    ["a changed element count", "element_count = 1", ""],
    ["a changed checksum", "checksum = checksum + 1", ""],
    ["a changed sequence number", "sequence = sequence + 1", ""],
    ["a missing sequence number", "sequence = NULL", ""],
    ["a sequence number at an element", "sequence = 1", "a"],
    ["an element moved to another path", "path = 'c'", "b"],
    ["a header turned into an element", "path = 'header'", ""],
    ["a checksum too large to read", "checksum = 9223372036854775807", "a"]
  ])("%s is found", (_, set, path) => {
    update(set, path)
    expect(at().storage.service.read(cart)._tag).toBe("Damaged")
  })

  it("an element that is missing is found, and one that should not be there", async () => {
    const { service } = at().storage
    at().fixture.raw((database) => database.exec("DELETE FROM documents WHERE path = 'a'"))
    expect(service.read(cart)).toEqual({
      _tag: "Damaged",
      detail: "it has 1 elements instead of 2"
    })
    await commit(service, put(cart, "header", { a: "first", c: "third" }, 2))
    expect(service.read(cart)._tag).toBe("Damaged")
  })

  it("a document moved under another key is found there", async () => {
    const { service } = at().storage
    await commit(service, put(keyOf("splain"), "header"))
    at().fixture.raw((database) =>
      database.exec("UPDATE documents SET partition_key = 'so' || partition_key WHERE path = ''")
    )
    const found = ["sosplain", "soscart", "scart"].map((name) => service.read(keyOf(name))._tag)
    expect(found).toEqual(["Damaged", "Damaged", "Damaged"])
  })

  it("a waiting change hides no damage beside it, and mends the row that it replaces", async () => {
    const { service } = at().storage
    update("bytes = x'00'", "a")
    const done = commit(service, put(cart, "header2", { b: "2" }, 2))
    expect(service.read(cart)._tag).toBe("Damaged")
    await done
    const mended = commit(service, put(cart, "header3", { a: "3" }, 2))
    expect(shown(service.read(cart))).toBe("header3{a=3,b=2}")
    await mended
    expect(shown(service.read(cart))).toBe("header3{a=3,b=2}")
  })

  it("a removal and a whole document, written together, replace all rows", async () => {
    const { service } = at().storage
    at().fixture.raw((database) => database.exec("DELETE FROM documents WHERE path = ''"))
    const done = commit(service, removal(cart), put(cart, "repaired", { z: "1" }))
    expect(shown(service.read(cart))).toBe("repaired{z=1}")
    await done
    expect(shown(service.read(cart))).toBe("repaired{z=1}")
  })
}

const damagedKeys: Suite = (at) => {
  it("a scan lists damaged documents, so that they can be repaired", async () => {
    const { service } = at().storage
    await commit(service, put(cart, "v", { a: "1" }))
    at().fixture.raw((database) => database.exec("DELETE FROM documents WHERE path = ''"))
    expect(service.scan({ partition: 7, after: undefined, limit: 2 })).toEqual([cart])
  })

  it("a scan that the disk cannot answer throws rather than list too little", async () => {
    const { service } = at().storage
    await commit(service, put(cart, "v"))
    at().fixture.raw((database) => database.exec("ALTER TABLE documents RENAME TO hidden"))
    expect(() => service.scan({ partition: 7, after: undefined, limit: 2 })).toThrow(ScanFailed)
    expect(service.read(cart)._tag).toBe("Damaged")
  })

  it("a scan passes a key that is no text any more, page by page", async () => {
    const { service } = at().storage
    await commit(service, ...["sa", "sb", "sc"].map((name) => put(keyOf(name), "v")))
    at().fixture.raw((database) =>
      database.exec(
        "UPDATE documents SET partition_key = CAST(x'73ff' AS TEXT) WHERE partition_key = 'sb'"
      )
    )
    const names: Array<string> = []
    let page = service.scan({ partition: 7, after: undefined, limit: 1 })
    while (page.length > 0 && names.length < 9) {
      names.push(...page.map((key) => key.partitionKey))
      page = service.scan({ partition: 7, after: page.at(-1), limit: 1 })
    }
    expect(names).toEqual(["sa", "sc", "s\uFFFD"])
    expect(service.read(keyOf("s\uFFFD"))._tag).toBe("Absent")
  })
}

export const damage: Suite = (at) => {
  describe("of documents", () => damagedDocuments(at))
  describe("of keys", () => damagedKeys(at))
}
