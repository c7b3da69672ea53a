/**
 * Tells an operator the state of each node in its own words. The answer to
 * `everwrite.<cluster>.v1.cluster.status`: version 1.
 */
import * as Schema from "effect/Schema"
import { AnswerBytes } from "./ClientRequest.ts"
import { FormationBody, PeerBody } from "./ClusterDescription.ts"
import { HintReport } from "./HintReport.ts"

export const StatusBody = Schema.Struct({
  /** As in any request: bytes of the largest answer in parts. */
  answerBytesMax: Schema.optionalKey(AnswerBytes),
  /** When the answer comes at the latest. */
  timeoutMillis: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 60_000 }))
  )
})

/** A node as it tells of itself. */
export const NodeStatus = Schema.Struct({
  node: Schema.String,
  incarnation: Schema.String,
  formation: FormationBody,
  /** The other members as it sees them. */
  peers: Schema.Array(PeerBody),
  /** What it keeps for them. */
  hints: HintReport
})
export type NodeStatus = typeof NodeStatus.Type

export const ClusterStatus = Schema.Struct({
  cluster: Schema.String,
  /** The node that asked the others. */
  node: Schema.String,
  /** All members; `told` is absent where one did not answer in time. */
  nodes: Schema.Array(
    Schema.Struct({ node: Schema.String, told: Schema.optionalKey(NodeStatus) })
  )
})
export type ClusterStatus = typeof ClusterStatus.Type
