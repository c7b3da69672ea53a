/**
 * Joins the changes of one document into one: newer rows over older ones.
 */
import type { NumberedChange } from "./AcceptedBatch.ts"
import type { Overlay } from "./PendingWrites.ts"
import type { RowKey } from "./Storage.ts"

/** A document's changes, joined into one. */
export interface JoinedDocument extends Overlay {
  readonly key: RowKey
}

type Elements = Map<string, Uint8Array | undefined>

export class Joining implements JoinedDocument {
  readonly key: RowKey
  header: Uint8Array | undefined
  elementCount = 0
  sequence = 0
  replaces = false
  elements: Elements = new Map()

  constructor(key: RowKey) {
    this.key = key
  }

  /** Lays a newer change on top, with its bytes as they are. */
  add({ elementCount, elements, header, sequence }: Omit<NumberedChange, "key">): void {
    // A removal takes all elements with it, those in the tables too.
    if (header === undefined) {
      this.replaces = true
      this.elements = new Map()
    }
    this.header = header
    this.elementCount = elementCount
    this.sequence = sequence
    for (const [path, bytes] of elements) this.elements.set(path, bytes)
  }
}
