// Checks which value each row of a node's own metadata takes where it is damaged, is no such text,
// or is missing: one that lets no store count for complete that is not.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Schema from "effect/Schema"
import { afterEach, describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { rowChecksum } from "../../src/storage/Checksum.ts"
import { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { encodeKey, familyNumbers } from "../../src/storage/FamilyKey.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })

const names = ["standing", "incarnation", "told", "store", "changes"] as const
type RowName = typeof names[number]

const metadataKey = (name: string) => ({ family: "metadata", key: encodeKey("metadata", [name]) })
const rows: Readonly<Record<RowName, { readonly family: string; readonly key: string }>> = {
  standing: metadataKey("standing"),
  incarnation: metadataKey("incarnation"),
  told: metadataKey("told"),
  store: { family: "store", key: "" },
  changes: { family: "store", key: "changes" }
}

const ways = ["damaged", "no such text", "missing"] as const
type Way = typeof ways[number]

let stepped: SteppedCluster
const directories: Array<string> = []
afterEach(() => {
  stepped.stop()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

const start = async (): Promise<void> => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets: [texts] })
  stepped.runtime.advance(1_000)
}

const diskOf = (number: number): MemoryDisk =>
  stepped.nodes.find(({ id }) => id === node(number))!.disk

const copyOf = (number: number): MemoryDisk => {
  const directory = mkdtempSync(join(tmpdir(), "everwrite-metadata-"))
  directories.push(directory)
  const path = join(directory, "store.sqlite")
  const { database, logs } = diskOf(number)
  database.exec(`VACUUM INTO '${path}'`)
  return Object.assign(new MemoryDisk(), { database: new DatabaseSync(path), logs })
}

const spoil = (number: number, name: RowName, way: Way): void => {
  const { family, key } = rows[name]
  const place = [
    family === "store" ? 0 : familyNumbers.metadata,
    Buffer.from(key, "latin1")
  ] as const
  const { database } = diskOf(number)
  const where = "WHERE family = ? AND key = ?"
  const bytes = Buffer.from("noise")
  const change = {
    damaged: () =>
      database.prepare(`UPDATE family_rows SET bytes = ? ${where}`)
        .run(bytes, ...place),
    "no such text": () =>
      database.prepare(`UPDATE family_rows SET bytes = ?, checksum = ? ${where}`)
        .run(bytes, rowChecksum({ family, key, bytes }), ...place),
    missing: () => database.prepare(`DELETE FROM family_rows ${where}`).run(...place)
  }[way]()
  expect(Number(change.changes)).toBe(1)
}

const write = (at: number, count: number): void => {
  for (let i = 0; i < count; i++) {
    stepped.write(at, texts, { key: `k${i}`, op: "put", args: ["x"], w: 1 })
    stepped.runtime.advance(10)
  }
  stepped.runtime.advance(lan.node.toldMillis + 1_000)
}

const restart = async (number: number, disk?: MemoryDisk): Promise<void> => {
  stepped.cluster.crash(node(number))
  await stepped.restart(number, disk)
  stepped.runtime.advance(2_000)
}

const statusOf = (number: number) =>
  stepped.nodes.find(({ id }) => id === node(number))!.core.formation.status()

const cases = names.flatMap((name) => ways.map((way) => [name, way] as const))

describe("a node whose store lost the end of its log", () => {
  it.each(cases)("stays incomplete where its row %s is %s", async (name, way) => {
    await start()
    write(1, 3)
    const before = copyOf(1)
    write(1, 5)
    await restart(1, before)
    expect(statusOf(1).own).toBe("amnesiac")
    // It outgrows the number that the others were told.
    write(1, 30)
    write(2, 1)
    spoil(1, name, way)
    await restart(1)
    expect(statusOf(1).completeness).toBe("incomplete")
    await restart(1)
    expect(statusOf(1).completeness).toBe("incomplete")
  })

  it.each(ways.slice(0, 2))(
    "is not complete where what the others were told is %s",
    async (way) => {
      await start()
      write(1, 3)
      const before = copyOf(1)
      write(1, 5)
      stepped.cluster.crash(node(1))
      for (const number of [2, 3]) {
        spoil(number, "told", way)
        await restart(number)
      }
      await stepped.restart(1, before)
      for (let starts = 0; starts < 2; starts++) {
        stepped.runtime.advance(2_000)
        expect(statusOf(1)).toMatchObject({ completeness: "unsure", awaited: ["n2", "n3"] })
        await restart(1)
      }
      // Those that lost their memory have told nothing less.
      expect([2, 3].map((number) => statusOf(number).completeness)).not.toContain("incomplete")
    }
  )
})

describe("a node whose store lost nothing", () => {
  it.each(
    [
      ["standing", "damaged", "incomplete"],
      ["standing", "no such text", "incomplete"],
      ["standing", "missing", "incomplete"],
      ["incarnation", "damaged", "complete"],
      ["incarnation", "missing", "complete"],
      ["told", "damaged", "complete"],
      ["told", "missing", "complete"],
      ["store", "damaged", "incomplete"],
      ["store", "missing", "incomplete"],
      ["changes", "damaged", "incomplete"],
      ["changes", "missing", "incomplete"]
    ] as const
  )("whose row %s is %s is %s", async (name, way, completeness) => {
    await start()
    write(1, 3)
    write(2, 3)
    spoil(1, name, way)
    for (let starts = 0; starts < 2; starts++) {
      await restart(1)
      expect(statusOf(1).completeness).toBe(completeness)
    }
  })

  it("is told again, and so judges again, after its memory of the others was damaged", async () => {
    await start()
    write(1, 3)
    spoil(2, "told", "damaged")
    await restart(2)
    write(1, 3)
    await restart(1)
    expect(statusOf(1).completeness).toBe("complete")
  })
})
