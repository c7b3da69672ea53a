/**
 * Explains one document to people: where it belongs, what each replica holds of it, and what a
 * reader of all of them together would get. The answer to
 * `everwrite.<cluster>.v1.read.<bucket>.explain`: version 1.
 */
import * as Schema from "effect/Schema"
import { AnswerBytes } from "./ClientRequest.ts"
import { KeptHint } from "./NodeQuestion.ts"

const timeoutMillis = Schema.optionalKey(
  Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
)

export const ExplainBody = Schema.Struct({
  /** Given back with the answer. */
  id: Schema.optionalKey(Schema.Int),
  /** A text, or an object of the key's fields. */
  key: Schema.Json,
  /** As in any request: bytes of the largest answer in parts. */
  answerBytesMax: Schema.optionalKey(AnswerBytes),
  timeoutMillis
})
export type ExplainBody = typeof ExplainBody.Type

/** An entry of a causal context: how far the writes of one actor were seen. */
export const SeenActor = Schema.Struct({
  /** The node that wrote. */
  node: Schema.String,
  /** The node, its incarnation, and the birth within it, as `n1.0mi5f2k9c8x3a1q.1`. */
  actor: Schema.String,
  counter: Schema.Int
})

/** A state as its bucket's readers see it. */
const State = {
  context: Schema.Array(SeenActor),
  /** One value, none where nothing is there, or all siblings in dot order. */
  values: Schema.Array(Schema.Json),
  /** Of the encoded document; 0 where nothing is stored. */
  bytes: Schema.Int,
  /** Equal where the states are; empty where nothing is stored. */
  digest: Schema.String
}

export const ReplicaExplanation = Schema.Struct({
  node: Schema.String,
  /** `deleted` where a document is stored and no value is left in it; `absent` where none is. */
  outcome: Schema.Literals(["found", "deleted", "absent", "damaged", "refused", "unreachable"]),
  /** In words, where the outcome is damaged or refused. */
  reason: Schema.optionalKey(Schema.String),
  ...State
})
export type ReplicaExplanation = typeof ReplicaExplanation.Type

/** Copies that nodes keep in the place of owners, and hand over when these are back. */
export const ExplainedHints = Schema.Struct({
  kept: Schema.Array(Schema.Struct({ node: Schema.String, ...KeptHint.fields })),
  /** Nodes that may keep some, and did not tell. */
  untold: Schema.Array(Schema.String)
})
export type ExplainedHints = typeof ExplainedHints.Type

export const Explanation = Schema.Struct({
  bucket: Schema.String,
  key: Schema.Json,
  /** The node that asked the others. */
  explainedBy: Schema.String,
  partition: Schema.Int,
  /** Every node: the primaries of the document, then its fallbacks, in order. */
  preferenceList: Schema.Array(
    Schema.Struct({ node: Schema.String, role: Schema.Literals(["primary", "fallback"]) })
  ),
  /** The primaries, in order. */
  replicas: Schema.Array(ReplicaExplanation),
  /** Whether every primary answered, and all hold the same. */
  agreed: Schema.Boolean,
  /** Absent where the node is of a version that did not ask. */
  hints: Schema.optionalKey(ExplainedHints),
  /**
   * The states that were found, joined; `merged` where the node has the bucket's code to merge
   * siblings.
   */
  joined: Schema.Struct({ ...State, merged: Schema.optionalKey(Schema.Json) })
})
export type Explanation = typeof Explanation.Type

export const ExplanationReply = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  explanation: Explanation
})
