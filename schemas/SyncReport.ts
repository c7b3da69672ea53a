/**
 * Asks a node to compare its documents with those of all other nodes now, and tells the outcome by
 * node. The answer to `everwrite.<cluster>.v1.cluster.sync`: version 1.
 */
import * as Schema from "effect/Schema"
import { AnswerBytes } from "./ClientRequest.ts"

export const SyncBody = Schema.Struct({
  /** All buckets unless one is named. */
  bucket: Schema.optionalKey(Schema.String),
  /** As in any request: bytes of the largest answer in parts. */
  answerBytesMax: Schema.optionalKey(AnswerBytes),
  /** When the answer comes at the latest; exchanges that have not ended go on. */
  timeoutMillis: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
  )
})
export type SyncBody = typeof SyncBody.Type

/** The comparison with one node. */
export const NodeSync = Schema.Struct({
  node: Schema.String,
  /** `under way` where it had not ended when the time was up; `failed` where it ended early. */
  outcome: Schema.Literals(["compared", "under way", "failed"]),
  /** In words, where it failed. */
  reason: Schema.optionalKey(Schema.String),
  /** Versions of documents that one of the two nodes lacked. */
  differences: Schema.Int,
  /** Documents that changed at one of the two nodes. */
  repaired: Schema.Int,
  /**
   * Partitions that were not compared, where there are any: one of the two nodes had not read all
   * their rows yet, or they differed too much. Earlier nodes do not tell.
   */
  skipped: Schema.optionalKey(Schema.Int)
})
export type NodeSync = typeof NodeSync.Type

export const SyncReport = Schema.Struct({
  /** The node that compared its documents. */
  node: Schema.String,
  bucket: Schema.optionalKey(Schema.String),
  nodes: Schema.Array(NodeSync)
})
export type SyncReport = typeof SyncReport.Type
