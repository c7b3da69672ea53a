/**
 * Describes the messages by which two nodes compare what they hold and repair it. One node asks,
 * the other answers under the same request number; each pair stands by itself, and the node that
 * answers remembers nothing.
 *
 * Lists of hashes have two words for each, the upper half first. Byte fields of a message that was
 * received are views of its frame, for the time of the call that hands it over.
 */
import type { Sum } from "../src/core/anti-entropy/HashSet.ts"
import type { Slice } from "../src/core/anti-entropy/Sketch.ts"
import type { Completeness } from "../src/core/model/Completeness.ts"
import type { DocumentKey } from "../src/core/model/DocumentKey.ts"

/** The sum of the versions that a node holds of one partition. */
export interface PartitionSum {
  readonly partition: number
  readonly sum: Sum
}

/** The versions that are compared: those of the buckets that both nodes hold, or of one of them. */
interface Scope {
  /** Empty for all buckets. */
  readonly bucket: string
}

/** Asks which partitions differ. */
export interface Compare extends Scope {
  readonly kind: "Compare"
  /** The digest of the sender's ring, and an id of the key of its hashes. */
  readonly ring: string
  readonly hashKey: string
  /** In order of partition. */
  readonly sums: ReadonlyArray<PartitionSum>
}

/**
 * Asks of which partitions the node keeps documents that the sender is to have, and it is not. It
 * is answered by `Compared`, as if the sender had nothing.
 */
export interface Keeping {
  readonly kind: "Keeping"
  readonly ring: string
  readonly hashKey: string
  /** In order. */
  readonly partitions: ReadonlyArray<number>
}

export interface Compared {
  readonly kind: "Compared"
  /** Why nothing was compared, else `compared`. */
  readonly outcome: "compared" | "other ring" | "other key" | "busy"
  /** Of the store of the node that answers. */
  readonly completeness: Completeness
  /** The partitions that differ, with the sums of the node that answers. */
  readonly differing: ReadonlyArray<PartitionSum>
  /** Those that it has not read yet. */
  readonly unread: ReadonlyArray<number>
}

/** Asks for cells of the sketch of a partition, or of a slice of it. */
export interface Sketch extends Scope {
  readonly kind: "Sketch"
  readonly partition: number
  readonly slice: Slice
  readonly from: number
  readonly count: number
}

export interface Sketched {
  readonly kind: "Sketched"
  /** Of the partition, to tell whether it has changed since. */
  readonly sum: Sum
  readonly cells: Int32Array
}

/** Asks for documents of a partition after a key, in order: those that the sender is to have. */
export interface Pull extends Scope {
  readonly kind: "Pull"
  readonly partition: number
  /** The hashes of their versions; empty for all. */
  readonly versions: Uint32Array
  /** Undefined from the first on. */
  readonly after: RowCursor | undefined
}

/** A row of a partition, by bucket and key. */
export interface RowCursor {
  readonly bucket: string
  readonly key: DocumentKey
}

/** A document as it travels. */
export interface SentDocument {
  readonly bucket: string
  /** The bucket's fingerprint where the sender knows the bucket, else empty. */
  readonly fingerprint: string
  readonly key: DocumentKey
  readonly document: Uint8Array
}

export interface Pulled {
  readonly kind: "Pulled"
  readonly documents: ReadonlyArray<SentDocument>
  /** The last row looked at; undefined where there are no more. */
  readonly through: RowCursor | undefined
}

/** Asks which of these versions the node lacks. */
export interface Offer {
  readonly kind: "Offer"
  readonly partition: number
  readonly versions: Uint32Array
}

export interface Lacking {
  readonly kind: "Lacking"
  readonly versions: Uint32Array
}

/** Join these documents into yours, and say so once they are on disk. */
export interface Push {
  readonly kind: "Push"
  readonly documents: ReadonlyArray<SentDocument>
}

export interface Pushed {
  readonly kind: "Pushed"
  /** Of documents that the node holds as they were sent, or whose joins changed its own. */
  readonly stored: number
  readonly refused: number
}

export type AntiEntropyBody =
  | Compare
  | Compared
  | Sketch
  | Sketched
  | Pull
  | Pulled
  | Offer
  | Lacking
  | Push
  | Pushed
  | Keeping

export type AntiEntropyKind = AntiEntropyBody["kind"]

export interface AntiEntropy {
  readonly _tag: "AntiEntropy"
  readonly request: number
  readonly body: AntiEntropyBody
}
