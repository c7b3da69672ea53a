// Checks which documents are known to lack what they had, also after a start, and beyond the bound.
import { describe, expect, it } from "vitest"
import { MendedDocuments } from "../../src/replica/MendedDocuments.ts"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import { metadataBatch } from "../../src/storage/Metadata.ts"
import { ScanFailed } from "../../src/storage/Storage.ts"
import { identity } from "../storage/storageFixtures.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const keyOf = (name: string) => ({ partition: 3, bucket: "b", partitionKey: name, sortKey: "" })

const failing = (): never => {
  throw new ScanFailed("a bad page")
}

const noRows = { scanRows: () => [] }

describe("documents whose damaged row was replaced", () => {
  it("are remembered, and no others", () => {
    const mended = new MendedDocuments(noRows, { mendedDocumentsMax: 2 })
    expect(mended.has(keyOf("sa"))).toBe(false)
    expect(mended.add(keyOf("sa"))).toMatchObject({ family: "metadata" })
    expect([mended.has(keyOf("sa")), mended.has(keyOf("sb"))]).toEqual([true, false])
  })

  it("are read from their rows at a start", () => {
    const runtime = new SteppedRuntime()
    const { service } = openDirect({ directory: new MemoryDisk(), identity, runtime })
    const row = new MendedDocuments(service, { mendedDocumentsMax: 2 }).add(keyOf("sa"))
    service.write({ documents: [], rows: [row] }, () => {})
    const mended = new MendedDocuments(service, { mendedDocumentsMax: 2 })
    expect([mended.has(keyOf("sa")), mended.has(keyOf("sb"))]).toEqual([true, false])
  })

  it("are all documents where the row of one is damaged, and not where another row is", () => {
    const disk = new MemoryDisk()
    const runtime = new SteppedRuntime()
    const { service } = openDirect({
      directory: disk,
      identity,
      runtime,
      limits: { logBytesMax: 0 }
    })
    service.write(metadataBatch("standing", "a standing"), () => {})
    service.write(metadataBatch("told", "n2 7 9"), () => {})
    service.write(metadataBatch("disk-check", "1"), () => {})
    runtime.runReady()
    const spoil = () => disk.database.exec("UPDATE family_rows SET checksum = 7 WHERE family = 5")
    const has = () => new MendedDocuments(service, { mendedDocumentsMax: 2 }).has(keyOf("sb"))
    spoil()
    expect(has()).toBe(false)
    const row = new MendedDocuments(service, { mendedDocumentsMax: 2 }).add(keyOf("sa"))
    service.write({ documents: [], rows: [row] }, () => {})
    runtime.runReady()
    expect(has()).toBe(false)
    // One byte of its name.
    const name = Buffer.from(`${row.key[0]}\0`)
    disk.database.prepare("UPDATE family_rows SET key = ? WHERE key = ?")
      .run(Buffer.from(`n${name.toString().slice(1)}`), name)
    expect(has()).toBe(true)
  })

  it("are all documents where there are too many, or their rows cannot be read", () => {
    const full = new MendedDocuments(noRows, { mendedDocumentsMax: 1 })
    for (const name of ["sa", "sb"]) full.add(keyOf(name))
    expect(full.has(keyOf("sc"))).toBe(true)
    const blind = new MendedDocuments({ scanRows: failing }, { mendedDocumentsMax: 1 })
    expect(blind.has(keyOf("sa"))).toBe(true)
  })
})
