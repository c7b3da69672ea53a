/**
 * Answers questions over NATS that are about the cluster and no document: its description, the
 * comparison of this node's documents with those of others, those that it keeps for others, and the
 * state of each node.
 */
import * as Schema from "effect/Schema"
import { clusterText } from "../../schemas/DescribeCluster.ts"
import { type ClusterStatus, StatusBody } from "../../schemas/ClusterStatus.ts"
import { type HintReport, HintsBody } from "../../schemas/HintReport.ts"
import { SyncBody, type SyncReport } from "../../schemas/SyncReport.ts"
import { misshapenRequest } from "../core/model/MisshapenRequest.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"

type Respond<A> = (outcome: A | Errors.StoreError) => void

/** The answers to an operator's questions, in whichever way they come. */
export interface Questions {
  /** Compares this node's documents with those of all others now. */
  readonly sync: (
    request: { readonly bucket?: string; readonly timeoutMillis?: number },
    respond: Respond<SyncReport>
  ) => void
  /** Tells what this node keeps for others. */
  readonly hints: (respond: Respond<HintReport>) => void
  /** Asks each node for its state. */
  readonly status: (
    request: { readonly timeoutMillis?: number },
    respond: Respond<ClusterStatus>
  ) => void
}

export interface ClusterQuestionsOptions {
  readonly cluster: ClusterName
  readonly node: NodeId
  readonly view: ClusterView
  readonly buckets: Buckets
  readonly questions: Questions
}

const decodeHints = Schema.decodeUnknownResult(HintsBody)
const decodeStatus = Schema.decodeUnknownResult(StatusBody)
const decodeSync = Schema.decodeUnknownResult(SyncBody)

const invalid = (value: string) =>
  new Errors.InvalidRequest({
    setting: "request",
    value,
    expected: "describe, hints, status or sync"
  })

/** Answers with the JSON of what is asked for, or an error. */
export const answerQuestion = (
  verb: string,
  json: unknown,
  options: ClusterQuestionsOptions,
  answer: (outcome: string | Errors.StoreError) => void
): void => {
  const { buckets, cluster, node, questions, view } = options
  const told = (outcome: object | Errors.StoreError) =>
    answer("_tag" in outcome ? outcome : JSON.stringify(outcome))
  const misshapen = (failure: Schema.SchemaError) =>
    answer(misshapenRequest(failure, { json, whole: "request" }))
  switch (verb) {
    case "describe": {
      const { ring } = view
      const [formation, peers] = [view.formation(), view.peers()]
      const known = buckets.values()
      return answer(clusterText({ cluster, node, ring, formation, peers, buckets: known }))
    }
    case "sync": {
      const body = decodeSync(json ?? {})
      return body._tag === "Failure"
        ? misshapen(body.failure)
        : questions.sync(body.success, told)
    }
    case "hints": {
      const body = decodeHints(json ?? {})
      return body._tag === "Failure" ? misshapen(body.failure) : questions.hints(told)
    }
    case "status": {
      const body = decodeStatus(json ?? {})
      return body._tag === "Failure"
        ? misshapen(body.failure)
        : questions.status(body.success, told)
    }
    default:
      return answer(invalid(verb))
  }
}
