/**
 * Refuses clients' writes that would make a document too large, and notes those that are about to.
 */
import type { Document } from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import * as DocumentSize from "../core/crdt/DocumentSize.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { RowKey } from "../core/model/RowKey.ts"

export interface GrowthStats {
  /** Writes that left their document beyond half of a limit. */
  readonly largeDocuments: number
  /** Writes that were refused, by limit. */
  readonly growthRefused: Readonly<Record<DocumentSize.Measure, number>>
}

/** A document that came near one of its limits. */
export interface LargeDocument extends DocumentSize.Excess {
  readonly key: RowKey
}

export class DocumentGrowth {
  readonly #runtime: Pick<Runtime, "mark">
  readonly #limits: DocumentSize.GrowthLimits
  #largeDocuments = 0
  readonly #refused = { siblings: 0, elements: 0, actors: 0, bytes: 0 }
  /** The first of them, for the operator. */
  #first: LargeDocument | undefined

  constructor(options: {
    readonly runtime: Pick<Runtime, "mark">
    readonly limits: DocumentSize.GrowthLimits
  }) {
    this.#runtime = options.runtime
    this.#limits = options.limits
  }

  get first(): LargeDocument | undefined {
    return this.#first
  }

  stats(): GrowthStats {
    return { largeDocuments: this.#largeDocuments, growthRefused: { ...this.#refused } }
  }

  /** The limit that a write would pass; undefined where it may be carried out. */
  excess(
    key: RowKey,
    before: Document,
    after: { readonly document: Document; readonly encoded: DocumentCodec.EncodedDocument }
  ): DocumentSize.Excess | undefined {
    const growth = DocumentSize.decide(
      { document: before, bytes: () => DocumentCodec.lengthOf(DocumentCodec.encode(before)) },
      { document: after.document, bytes: () => DocumentCodec.lengthOf(after.encoded) },
      this.#limits
    )
    switch (growth._tag) {
      case "Small":
        return undefined
      case "Large":
        this.#largeDocuments++
        this.#first ??= { key, ...growth.near }
        return undefined
      case "Refused":
        this.#refused[growth.excess.limit]++
        this.#runtime.mark("replica: a document would become too large")
        return growth.excess
    }
  }
}
