/**
 * States how a storage numbers changes: the part of its contract about sequence numbers.
 */
import { expect, it } from "vitest"
import type { Batch, RowKey } from "../../src/storage/Storage.ts"
import { batchOf, commit, keyOf, put, removal } from "../storage/documents.ts"
import { failCommits, type Suite } from "../storage/storageFixtures.ts"

const cart = keyOf("scart")
const other = keyOf("scart", { partition: 8 })

export const sequences: Suite = (at) => {
  const write = (batch: Batch): ReadonlyArray<number> => at().storage.service.write(batch, () => {})
  const numberOf = (key: RowKey): number | undefined => {
    const result = at().storage.service.read(key)
    return result._tag === "Found" ? result.document.sequence : undefined
  }
  const committed = () => new Promise((resolve) => at().storage.service.barrier(resolve))
  const reopen = async () => {
    await at().storage.close()
    at().storage = await at().fixture.open()
  }

  it("each change of a partition gets its next number, and a read tells it", async () => {
    const [first = 0] = write(batchOf(put(cart, "v1", { a: "1" })))
    expect(first).toBeGreaterThan(0)
    expect(write(batchOf(removal(cart), put(cart, "v2")))).toEqual([first + 1, first + 2])
    expect(write(batchOf(put(keyOf("sother"), "v1")))).toEqual([first + 3])
    expect(write(batchOf(put(other, "v1")))).toEqual([first])
    for (const phase of ["waiting", "committed"]) {
      const numbers = [cart, keyOf("sother"), other].map(numberOf)
      expect(numbers, phase).toEqual([first + 2, first + 3, first])
      await committed()
    }
    await reopen()
    expect([cart, keyOf("sother"), other].map(numberOf)).toEqual([first + 2, first + 3, first])
  })

  it("rows of other families get no number", () => {
    expect(write({ documents: [], rows: [{ family: "leaf", key: [7, 1], bytes: undefined }] }))
      .toEqual([])
  })

  it("a row may be kept under the number of a change of its batch", async () => {
    const { service } = at().storage
    const [first = 0, second = 0] = write({
      ...batchOf(put(cart, "v1"), put(other, "v1")),
      rows: [{
        family: "operation",
        key: ([, number = 0]) => [other.partition, number],
        bytes: Uint8Array.of(1)
      }]
    })
    expect(service.readRow("operation", [other.partition, second])._tag).toBe("Found")
    await committed()
    expect(service.readRow("operation", [other.partition, second])._tag).toBe("Found")
    expect(service.readRow("operation", [cart.partition, first])._tag).toBe("Absent")
  })

  it("a group that fails leaves a gap", async () => {
    const [first = 0] = write(batchOf(put(cart, "v1")))
    await committed()
    const mend = failCommits(at().fixture)
    expect(await commit(at().storage.service, put(cart, "v2"))).toBeDefined()
    mend()
    expect(write(batchOf(put(cart, "v3")))).toEqual([first + 2])
    await committed()
    expect(numberOf(cart)).toBe(first + 2)
  })

  it("numbers grow over an opening, also where those before it were never committed", async () => {
    failCommits(at().fixture)
    const lost = write(batchOf(...Array.from({ length: 9 }, (_, i) => put(cart, `v${i}`))))
    await committed()
    at().fixture.raw((database) =>
      database.exec("DROP TRIGGER refuse_INSERT; DROP TRIGGER refuse_DELETE")
    )
    await reopen()
    const [next = 0] = write(batchOf(put(cart, "v")))
    expect(next).toBeGreaterThan(Math.max(...lost))
    expect(next).toBeLessThan(Number.MAX_SAFE_INTEGER)
  })

  it("a write that is refused gets no number and uses up none", async () => {
    await at().storage.close()
    at().storage = await at().fixture.open({ limits: { waitingChangesMax: 1 } })
    const { service } = at().storage
    let first = 0
    await new Promise((resolve) => {
      first = service.write(batchOf(put(cart, "v1")), resolve)[0]!
      expect(write(batchOf(put(cart, "v2")))).toEqual([])
    })
    expect(write(batchOf(put(cart, "v3")))).toEqual([first + 1])
  })

  it("committed changes are counted over openings, and rows alone are none", async () => {
    const { service } = at().storage
    const before = service.committedChanges()
    write(batchOf(put(cart, "v1"), put(cart, "v2")))
    expect(service.committedChanges()).toBe(before)
    await committed()
    expect(service.committedChanges()).toBe(before + 2)
    const row = { family: "metadata", key: ["name"], bytes: new Uint8Array(1) } as const
    write({ documents: [], rows: [row] })
    await committed()
    await reopen()
    expect(at().storage.service.committedChanges()).toBe(before + 2)
  })

  it("a store keeps its id, and another one has another", async () => {
    const { storeId } = at().storage.service
    expect(storeId).toMatch(/^[0-9a-z]{26}$/)
    await reopen()
    expect(at().storage.service.storeId).toBe(storeId)
  })

  it("a store whose id is damaged gets a new one, and numbers beyond all found", async () => {
    const { storeId } = at().storage.service
    await reopen()
    const [last = 0] = write(batchOf(put(cart, "v1")))
    await committed()
    await at().storage.close()
    at().fixture.raw((database) => database.exec("UPDATE family_rows SET checksum = checksum + 1"))
    at().storage = await at().fixture.open()
    expect(at().storage.service.storeId).not.toBe(storeId)
    expect(write(batchOf(put(cart, "v2")))[0]).toBeGreaterThan(last)
  })
}
