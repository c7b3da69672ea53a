/**
 * Defines the questions that a node asks another one for an operator, and the answers: JSON in
 * `Question` and `Told`, so that an answer can gain fields which earlier nodes pass over.
 */
import * as Schema from "effect/Schema"

/**
 * Which hints do you keep for this document? Halves of the key are as nodes encode them. Or: what
 * is your state? The answer to that is a `NodeStatus`.
 */
export const NodeQuestion = Schema.Union([
  Schema.Struct({
    about: Schema.Literal("document"),
    bucket: Schema.String,
    partition: Schema.String,
    sort: Schema.String
  }),
  Schema.Struct({ about: Schema.Literal("node") })
])
export type NodeQuestion = typeof NodeQuestion.Type

/** A hint for one document. */
export const KeptHint = Schema.Struct({
  /** The node that is owed the document. */
  owner: Schema.String,
  ageMillis: Schema.Finite,
  /** Of the document, as it is kept. */
  bytes: Schema.Int
})
export type KeptHint = typeof KeptHint.Type

export const KeptHints = Schema.Struct({ hints: Schema.Array(KeptHint) })
