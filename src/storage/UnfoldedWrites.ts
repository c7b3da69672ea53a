/**
 * Finds what is committed and not folded: the generation that commits add to, and the one that is
 * being folded into the tables.
 */
import type { AcceptedBatch, EncodedRow } from "./AcceptedBatch.ts"
import { Generation } from "./Generation.ts"
import type { Overlay } from "./PendingWrites.ts"
import type { Family, RowKey } from "./Storage.ts"

export class UnfoldedWrites {
  current = new Generation()
  folding: Generation | undefined

  add(batch: AcceptedBatch, bytes: number): void {
    this.current.add(batch, bytes)
  }

  /** What was added so far is folded from now on, and what comes is not part of it. */
  freeze(): void {
    this.folding = this.current
    this.current = new Generation()
  }

  /** The frozen generation is in the tables. */
  folded(): void {
    this.folding = undefined
  }

  /** All that was added is in the tables. */
  clear(): void {
    this.folding = undefined
    this.current = new Generation()
  }

  /** Of the rows in memory. */
  get bytes(): number {
    return this.current.bytes + (this.folding?.bytes ?? 0)
  }

  /** Changes of documents that the tables do not have yet. */
  get changes(): number {
    return this.current.changes + (this.folding?.changes ?? 0)
  }

  overlay(key: RowKey): Overlay | undefined {
    return laidOver(this.folding?.document(key), this.current.document(key))
  }

  row(family: Family, key: string): EncodedRow | undefined {
    return this.current.row(family, key) ?? this.folding?.row(family, key)
  }

  /** The generations, the older one first. */
  get generations(): ReadonlyArray<Generation> {
    return this.folding === undefined ? [this.current] : [this.folding, this.current]
  }
}

/** A document's changes with newer ones on top. */
export const laidOver = (
  below: Overlay | undefined,
  above: Overlay | undefined
): Overlay | undefined => {
  if (below === undefined || above === undefined) return above ?? below
  // The header above is newer, and most documents are no more than their header.
  if (above.replaces || below.elements.size === 0 && !below.replaces) return above
  const { elementCount, header, sequence } = above
  const elements = new Map([...below.elements, ...above.elements])
  return { header, elementCount, sequence, replaces: below.replaces, elements }
}
