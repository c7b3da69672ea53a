/**
 * States what a storage makes of rows of all families: the part of its contract about them.
 */
import { describe, expect, it } from "vitest"
import { families } from "../../src/storage/FamilyKey.ts"
import {
  type Family,
  type FamilyKeys,
  type KeyedRow,
  ScanFailed
} from "../../src/storage/Storage.ts"
import {
  bytesOf,
  commitBatch,
  commitRows,
  keyOf,
  put,
  removal,
  shown,
  shownRow,
  textOf
} from "../storage/documents.ts"
import { failCommits, type Suite } from "../storage/storageFixtures.ts"

const cart = keyOf("scart")
const failing = { kind: "failing", detail: expect.stringContaining("injected") }

const keysOf = <F extends Family>(_: F, ...keys: ReadonlyArray<FamilyKeys[F]>) => keys

/** Keys of each family in order; the first two begin with the same field, where there are more. */
const keys = {
  hint: keysOf("hint", ["n1", 9], ["n1", 10], ["n1", 256], ["n10", 0], ["n2", 1]),
  leaf: keysOf("leaf", [0, 1], [0, 300], [7, 0], [255, 65_535], [256, 2]),
  index: keysOf(
    "index",
    ["by-name", "sa", 7, "scart", ""],
    ["by-name", "sa", 7, "scart", "i1"],
    ["by-name", "sa\uFFFD", 1, "s", ""],
    ["by-name", "sa\u{1F6D2}", 0, "s", ""],
    ["by-size", "", 0, "s", ""]
  ),
  operation: keysOf(
    "operation",
    [3, 2 ** 32],
    [3, 2 ** 32 + 1],
    [3, Number.MAX_SAFE_INTEGER],
    [4, 0],
    [300, 1]
  ),
  metadata: keysOf("metadata", ["a"], ["a b"], ["incarnation"], ["\uFFFD"], ["\u{1F6D2}"])
}

const bytes = undefined
const ordered: Readonly<Record<Family, ReadonlyArray<KeyedRow>>> = {
  hint: keys.hint.map((key) => ({ family: "hint", key, bytes })),
  leaf: keys.leaf.map((key) => ({ family: "leaf", key, bytes })),
  index: keys.index.map((key) => ({ family: "index", key, bytes })),
  operation: keys.operation.map((key) => ({ family: "operation", key, bytes })),
  metadata: keys.metadata.map((key) => ({ family: "metadata", key, bytes }))
}

const rowOf = (family: Family, index: number, text: string | undefined): KeyedRow => ({
  ...ordered[family][index]!,
  bytes: text === undefined ? undefined : bytesOf(text)
})

/** Of the operations of one partition. */
const row = (sequence: number, text: string | undefined): KeyedRow => ({
  family: "operation",
  key: [7, sequence],
  bytes: text === undefined ? undefined : bytesOf(text)
})

const whole = (family: Family) => ({ family, under: [], after: undefined, limit: 100 })

const ofOneFamily: Suite = (at) => {
  const harm = (set: string) =>
    at().fixture.raw((database) =>
      database.exec(`UPDATE family_rows SET ${set} WHERE bytes = CAST('v1' AS BLOB)`)
    )
  const list = (options: Parameters<typeof whole>[0]) =>
    at().storage.service.scanRows(whole(options))
      .map(({ bytes, key }) => [key, bytes === undefined ? "damaged" : textOf(bytes)])

  it("fills a page with later rows where the removal of some waits", async () => {
    const { service } = at().storage
    const sequences = Array.from({ length: 600 }, (_, i) => i + 1)
    await commitRows(service, ...sequences.map((sequence) => row(sequence, "v1")))
    const removed = new Set([256, 257, 600])
    const changes = [...removed].map((sequence) => row(sequence, undefined))
    const done = commitRows(service, ...changes, row(512, "v2"), row(601, "v1"))
    const left = sequences.filter((sequence) => !removed.has(sequence)).slice(0, 520)
    for (const phase of ["waiting", "committed"]) {
      const found = service.scanRows({ ...whole("operation"), under: [7], limit: 520 })
      expect(found.map(({ key }) => key[1]), phase).toEqual(left)
      const shown = found.map(({ bytes }) => bytes === undefined ? "damaged" : textOf(bytes))
      expect(shown.indexOf("v2"), phase).toBe(left.indexOf(512))
      await done
    }
  })

  describe.each(families)("%s rows", (family) => {
    const first = rowOf(family, 0, "v1")
    const read = (index = 0) => shownRow(at().storage.service.readRow(family, keys[family][index]!))

    it("are read as soon as they are accepted, when committed, and after reopening", async () => {
      const { service } = at().storage
      expect(read()).toBe("Absent")
      const done = commitRows(service, first)
      expect(read()).toBe("v1")
      expect(await done).toBeUndefined()
      expect(read()).toBe("v1")
      await commitRows(service, rowOf(family, 0, "v2"), rowOf(family, 1, ""))
      await at().storage.close()
      at().storage = await at().fixture.open()
      expect([read(), read(1)]).toEqual(["v2", ""])
    })

    it("that are removed are absent, waiting or committed", async () => {
      const { service } = at().storage
      await commitRows(service, first, rowOf(family, 1, "v"))
      const done = commitRows(service, rowOf(family, 0, undefined))
      for (const phase of ["waiting", "committed"]) {
        expect([read(), read(1)], phase).toEqual(["Absent", "v"])
        expect(list(family), phase).toEqual([[keys[family][1], "v"]])
        await done
      }
    })

    it("are scanned in the order of their keys, page by page, waiting and committed", async () => {
      const { service } = at().storage
      const expected = keys[family]
      await commitRows(service, ...[4, 2, 0].map((index) => rowOf(family, index, `${index}`)))
      const done = commitRows(service, ...[3, 1].map((index) => rowOf(family, index, `${index}`)))
      for (const phase of ["waiting", "committed"]) {
        expect(list(family), phase).toEqual(expected.map((key, index) => [key, `${index}`]))
        const pages = expected.map((_, index) =>
          service.scanRows({ ...whole(family), after: expected[index - 1], limit: 1 })
        )
        expect(pages.flat().map(({ key }) => key), phase).toEqual(expected)
        await done
      }
    })

    it.each([
      ["a flipped bit", "bytes = CAST('v0' AS BLOB)"],
      ["a changed checksum", "checksum = checksum + 1"],
      ["a checksum too large to read", "checksum = 9223372036854775807"]
    ])("with %s are damaged, and mended by the next write", async (_, set) => {
      const { service } = at().storage
      await commitRows(service, first)
      harm(set)
      expect(read()).toBe("Damaged")
      expect(service.stats().damaged).toBe(1)
      await commitRows(service, rowOf(family, 0, "v2"))
      expect(read()).toBe("v2")
    })

    it("that are damaged are scanned as such", async () => {
      await commitRows(at().storage.service, first, rowOf(family, 1, "v"))
      harm("bytes = CAST('v0' AS BLOB)")
      expect(list(family)).toEqual([[keys[family][0], "damaged"], [keys[family][1], "v"]])
    })

    it("that were moved under another key are damaged there", async () => {
      await commitRows(at().storage.service, first, rowOf(family, 1, "v"))
      at().fixture.raw((database) => {
        const move = "UPDATE family_rows SET key = (SELECT key FROM gone) WHERE bytes = ?"
        database.exec(
          "CREATE TEMP TABLE gone AS SELECT key FROM family_rows WHERE hex(bytes) = '76'"
        )
        database.exec("DELETE FROM family_rows WHERE hex(bytes) = '76'")
        database.prepare(move).run(bytesOf("v1"))
        database.exec("DROP TABLE gone")
      })
      expect([read(0), read(1)]).toEqual(["Absent", "Damaged"])
    })
  })

  it("a row that was moved to another family is damaged there", async () => {
    const { service } = at().storage
    await commitRows(service, { family: "leaf", key: [1, 2], bytes: bytesOf("v") })
    at().fixture.raw((database) =>
      database.exec("UPDATE family_rows SET family = 4 WHERE family = 2")
    )
    expect(shownRow(service.readRow("operation", [1, 2]))).toBe("Damaged")
    expect(service.readRow("leaf", [1, 2])).toEqual({ _tag: "Absent" })
  })

  it("a scan under some first fields lists their rows alone", async () => {
    const { service } = at().storage
    await commitRows(service, ...[0, 1, 2, 3, 4].map((index) => rowOf("hint", index, `${index}`)))
    const done = commitRows(service, rowOf("hint", 1, undefined))
    const page = { family: "hint", under: ["n1"], limit: 2 } as const
    for (const phase of ["waiting", "committed"]) {
      const found = service.scanRows({ ...page, after: undefined })
      expect(found.map(({ key }) => key), phase).toEqual([["n1", 9], ["n1", 256]])
      const rest = service.scanRows({ ...page, after: ["n1", 9] })
      expect(rest.map(({ key }) => key), phase).toEqual([["n1", 256]])
      await done
    }
  })

  it("a scan of rows that the disk cannot answer throws rather than list too little", () => {
    at().fixture.raw((database) => database.exec("ALTER TABLE family_rows RENAME TO hidden"))
    expect(() => at().storage.service.scanRows(whole("hint"))).toThrow(ScanFailed)
    expect(at().storage.service.readRow("hint", ["n1", 1])._tag).toBe("Damaged")
  })

  it("a scan of rows passes over keys that are none any more", async () => {
    const { service } = at().storage
    await commitRows(service, ...[0, 1, 2].map((index) => rowOf("leaf", index, `${index}`)))
    at().fixture.raw((database) =>
      database.exec("UPDATE family_rows SET key = x'0909' WHERE bytes = CAST('1' AS BLOB)")
    )
    expect(list("leaf")).toEqual([[[0, 1], "0"], [[7, 0], "2"]])
    expect(service.stats().damaged).toBeGreaterThan(0)
  })

  it("a key that is none of its family is refused", () => {
    const { service } = at().storage
    const write = (row: KeyedRow) => () =>
      void service.write({ documents: [], rows: [row] }, () => {})
    expect(write({ family: "hint", key: ["n1", -1], bytes })).toThrow(/integers from 0/)
    // @ts-expect-error a key with a field too few
    expect(write({ family: "hint", key: ["n1"], bytes })).toThrow(/all fields/)
    // @ts-expect-error a key with a text for a number
    expect(write({ family: "leaf", key: ["n1", 1], bytes })).toThrow(/those of its family/)
    expect(write({ family: "metadata", key: ["a\0"], bytes })).toThrow(/well-formed/)
  })
}

const all = (text: string): ReadonlyArray<KeyedRow> =>
  families.map((family) => rowOf(family, 0, text))

const ofAllFamilies: Suite = (at) => {
  const shownAll = () => {
    const { service } = at().storage
    return [
      shown(service.read(cart)),
      ...families.map((family) => shownRow(service.readRow(family, keys[family][0]!)))
    ]
  }

  it("a document and rows of all families, written together, are kept together", async () => {
    const { service } = at().storage
    const done = commitBatch(service, {
      documents: [put(cart, "v1", { e: "v1" })],
      rows: all("v1")
    })
    const expected = ["v1{e=v1}", ...families.map(() => "v1")]
    expect(shownAll()).toEqual(expected)
    expect(await done).toBeUndefined()
    await at().storage.close()
    at().storage = await at().fixture.open()
    expect(shownAll()).toEqual(expected)
    await commitBatch(at().storage.service, {
      documents: [removal(cart)],
      rows: families.map((family) => rowOf(family, 0, undefined))
    })
    expect(shownAll()).toEqual(expected.map(() => "Absent"))
  })

  it.each(families)(
    "a batch that fails for its %s row leaves nothing of the group",
    async (family) => {
      const { service } = at().storage
      await commitBatch(service, { documents: [put(cart, "v1")], rows: all("v1") })
      const before = shownAll()
      const poison = rowOf(family, 1, "poison")
      at().fixture.raw((database) =>
        database.exec(
          `CREATE TRIGGER refuse_row BEFORE INSERT ON family_rows
         WHEN new.bytes = CAST('poison' AS BLOB) BEGIN SELECT RAISE(ABORT, 'injected'); END`
        )
      )
      const done = Promise.all([
        commitBatch(service, { documents: [put(cart, "v2")], rows: all("v2") }),
        commitRows(service, poison),
        commitRows(service, ...families.map((other) => rowOf(other, 0, undefined)))
      ])
      expect(shownAll().slice(1)).toEqual(families.map(() => "Absent"))
      expect(await done).toMatchObject([failing, failing, failing])
      expect(shownAll()).toEqual(before)
      expect(service.readRow(family, keys[family][1]!)._tag).toBe("Absent")
      at().fixture.raw((database) => database.exec("DROP TRIGGER refuse_row"))
      expect(await commitBatch(service, { documents: [], rows: [...all("v3"), poison] }))
        .toBeUndefined()
      expect(shownAll().slice(1)).toEqual(families.map(() => "v3"))
    }
  )

  it("a batch that fails for its document leaves no row of any family", async () => {
    const { service } = at().storage
    const mend = failCommits(at().fixture)
    expect(await commitBatch(service, { documents: [put(cart, "v1")], rows: all("v1") }))
      .toMatchObject(failing)
    expect(shownAll()).toEqual(["Absent", ...families.map(() => "Absent")])
    mend()
  })
}

export const rows: Suite = (at) => {
  describe("of one family", () => ofOneFamily(at))
  describe("of all families", () => ofAllFamilies(at))
}
