// Checks which documents are known to lack what they had, also after a start, and beyond the bound.
import { describe, expect, it } from "vitest"
import { MendedDocuments } from "../../src/replica/MendedDocuments.ts"
import { MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
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

  it("are all documents where there are too many, or their rows cannot be read", () => {
    const full = new MendedDocuments(noRows, { mendedDocumentsMax: 1 })
    for (const name of ["sa", "sb"]) full.add(keyOf(name))
    expect(full.has(keyOf("sc"))).toBe(true)
    const blind = new MendedDocuments({ scanRows: failing }, { mendedDocumentsMax: 1 })
    expect(blind.has(keyOf("sa"))).toBe(true)
  })
})
