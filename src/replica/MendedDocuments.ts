/**
 * Remembers the documents whose damaged row a write replaced. The replica goes on from what came
 * with that write, and no longer has all that it acknowledged before: for these documents it is
 * incomplete from then on. An alarm counts them, and its store is to be replaced, and filled anew.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { type KeyedRow, ScanFailed, type StorageService } from "../storage/Storage.ts"

const prefix = "mended "

/** The rows of the family that have nothing to do with documents. */
const otherRows: ReadonlyArray<string> = ["incarnation", "standing", "told", "disk-check"]

const rowName = ({ bucket, partition, partitionKey, sortKey }: RowKey): string =>
  prefix + JSON.stringify([partition, bucket, partitionKey, sortKey])

export class MendedDocuments {
  readonly #limits: Pick<NodeLimits, "mendedDocumentsMax">
  readonly #names = new Set<string>()
  /** More than can be remembered, or read: no document is known to be whole. */
  #isFull = false

  constructor(
    storage: Pick<StorageService, "scanRows">,
    limits: Pick<NodeLimits, "mendedDocumentsMax">
  ) {
    this.#limits = limits
    const limit = limits.mendedDocumentsMax + otherRows.length + 1
    try {
      const from = { family: "metadata", under: [], after: undefined, limit } as const
      for (const { bytes, key: [name] } of storage.scanRows(from)) {
        // A damaged row may have had another name: nobody knows of which document.
        if (bytes === undefined && !otherRows.includes(name)) this.#isFull = true
        else if (name.startsWith(prefix)) this.#add(name)
      }
    } catch (error) {
      if (!(error instanceof ScanFailed)) throw error
      this.#isFull = true
    }
  }

  get size(): number {
    return this.#names.size
  }

  /** Whether every document counts as one of them. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether the row may lack what it once had. */
  has(key: RowKey): boolean {
    return this.#isFull || this.#names.size > 0 && this.#names.has(rowName(key))
  }

  /** Notes a document whose damaged row is replaced, and makes the row that remembers it. */
  add(key: RowKey): KeyedRow {
    const name = rowName(key)
    this.#add(name)
    return { family: "metadata", key: [name], bytes: new Uint8Array(0) }
  }

  #add(name: string): void {
    if (this.#names.size < this.#limits.mendedDocumentsMax) this.#names.add(name)
    else this.#isFull = true
  }
}
