/**
 * Describes a cluster to its clients: its members, the owners of each partition, and the buckets it
 * knows, so that a client finds for itself a node that holds a document. Owners are told, because
 * they follow from the history of the members and not from the members alone. It answers
 * `everwrite.<cluster>.v1.cluster.describe`: version 1.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Struct from "effect/Struct"
import { BucketDefinition } from "./BucketDefinition.ts"

export const MemberBody = Schema.Struct({
  id: Schema.String,
  weight: Schema.Finite,
  zone: Schema.NullOr(Schema.String)
})

/** The version of the form in which owners are told: a changed form gets another. */
export const ownersVersion = 1

export const OwnersBody = Schema.Struct({
  version: Schema.Int,
  /** Of partition 0, then of 1, and so on: as many for each, in order, as indexes of `members`. */
  indexes: Schema.Array(Schema.Int)
})

export const BucketBody = Schema.Struct({
  definition: BucketDefinition,
  fingerprint: Schema.String,
  /** Operations with the kinds of their arguments. */
  operations: Schema.Record(
    Schema.String,
    Schema.Array(Schema.Literals(["value", "key", "integer"]))
  ),
  /** Whether the node that answers has the bucket's code. */
  hasCode: Schema.Boolean
})
export type BucketBody = typeof BucketBody.Type

/** The standing of the answering node's store: see `core/membership`. */
export const FormationBody = Schema.Struct({
  /** Whether the cluster has formed, as the node knows. */
  formed: Schema.Boolean,
  /**
   * Strict requests count only what is complete. Earlier nodes told `unsure` of a store that awaits
   * members; now it is `incomplete`, the word of the errors.
   */
  completeness: Schema.Literals(["complete", "unsure", "incomplete"]),
  /** The members whose answer the node awaits. */
  awaited: Schema.Array(Schema.String)
})

export const LastExchange = Schema.Struct({
  ageMillis: Schema.Finite,
  /** Versions that one of the two lacked, and documents that changed at one of them. */
  differences: Schema.Int,
  repaired: Schema.Int
})

/** What the answering node knows of another one. */
export const PeerBody = Schema.Struct({
  id: Schema.String,
  /** Whether it owes an answer for too long, or is believed down. */
  suspect: Schema.Boolean,
  /** The age of its last frame; null where none ever came, or an answer is overdue. */
  lastFrameAgeMillis: Schema.NullOr(Schema.Finite),
  /**
   * The opinion of the failure detector, which also reaches a node through others. Absent, like all
   * below, where the answering node is of a version that did not tell it, or has not heard it.
   */
  belief: Schema.optional(Schema.Literals(["up", "suspect", "down"])),
  /** The node's incarnation, as gossip tells. */
  incarnation: Schema.optional(Schema.String),
  status: Schema.optional(Schema.Literals(["serving", "stopping"])),
  /** How far its clock is ahead of the answering node's. */
  clockOffsetMillis: Schema.optional(Schema.Finite),
  /** The last comparison of all documents that both hold, begun by the answering node. */
  lastExchange: Schema.optional(LastExchange)
})
export type PeerBody = typeof PeerBody.Type

/** The same by a node of an earlier version, which named the age otherwise. */
const EarlierPeer = Schema.Struct({
  ...Struct.omit(PeerBody.fields, ["lastFrameAgeMillis"]),
  unheardMillis: PeerBody.fields.lastFrameAgeMillis
}).pipe(Schema.decodeTo(PeerBody, {
  decode: SchemaGetter.transform(({ unheardMillis, ...peer }) => ({
    ...peer,
    lastFrameAgeMillis: unheardMillis
  })),
  encode: SchemaGetter.forbiddenEncoding
}))

export const ClusterDescription = Schema.Struct({
  cluster: Schema.String,
  node: Schema.String,
  partitionCount: Schema.Int,
  ringDigest: Schema.String,
  members: Schema.Array(MemberBody),
  /** Absent where the node is of a version that did not tell it. */
  owners: Schema.optional(OwnersBody),
  /** Absent where the node is of a version that did not tell it. */
  formation: Schema.optional(FormationBody),
  /** The other members; absent where the node is of a version that did not tell it. */
  peers: Schema.optional(Schema.Array(PeerBody)),
  buckets: Schema.Array(BucketBody)
})
export type ClusterDescription = typeof ClusterDescription.Type

/** For clients, which read the description by a node of any version. */
export const AnyDescription = Schema.Struct({
  ...ClusterDescription.fields,
  peers: Schema.optional(Schema.Array(Schema.Union([PeerBody, EarlierPeer])))
})
