/**
 * Tells an operator which documents a node keeps for other nodes, which could not be reached when
 * they were written. The answer to `everwrite.<cluster>.v1.cluster.hints`: version 1.
 */
import * as Schema from "effect/Schema"
import { AnswerBytes } from "./ClientRequest.ts"

export const HintsBody = Schema.Struct({
  /** As in any request: bytes of the largest answer in parts. */
  answerBytesMax: Schema.optionalKey(AnswerBytes)
})

/** What is kept for one node. */
export const KeptFor = Schema.Struct({
  node: Schema.String,
  /** Whether the keeper believes it up: documents go out only then. */
  believedUp: Schema.Boolean,
  documents: Schema.Int,
  bytes: Schema.Int,
  /** For how long the oldest has been kept; absent where none is. */
  oldestMillis: Schema.optionalKey(Schema.Finite),
  /** How long ago the node last confirmed one; absent where none since the keeper's start. */
  deliveredMillis: Schema.optionalKey(Schema.Finite)
})
export type KeptFor = typeof KeptFor.Type

export const HintReport = Schema.Struct({
  /** The node that keeps them. */
  node: Schema.String,
  /** Of all documents that it keeps for others, and how many it may; beyond it none is taken. */
  bytes: Schema.Int,
  bytesMax: Schema.Finite,
  /** Nodes that are owed documents, or have confirmed some. */
  nodes: Schema.Array(KeptFor)
})
export type HintReport = typeof HintReport.Type
