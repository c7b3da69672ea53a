/**
 * Answers questions over NATS that are about the cluster and no document: its description, and the
 * comparison of this node's documents with those of others.
 */
import * as Schema from "effect/Schema"
import { clusterText } from "../../schemas/DescribeCluster.ts"
import { SyncBody, type SyncReport } from "../../schemas/SyncReport.ts"
import { misshapenRequest } from "../core/model/MisshapenRequest.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"

/** Compares this node's documents with those of all others now. */
export type Sync = (
  request: { readonly bucket?: string; readonly timeoutMillis?: number },
  respond: (outcome: SyncReport | Errors.StoreError) => void
) => void

export interface ClusterQuestionsOptions {
  readonly cluster: ClusterName
  readonly node: NodeId
  readonly view: ClusterView
  readonly buckets: Buckets
  readonly sync: Sync
}

const decodeSync = Schema.decodeUnknownResult(SyncBody)

const invalid = (value: string) =>
  new Errors.InvalidRequest({ setting: "request", value, expected: "describe or sync" })

/** Answers with the JSON of what is asked for, or an error. */
export const answerQuestion = (
  verb: string,
  json: unknown,
  options: ClusterQuestionsOptions,
  answer: (outcome: string | Errors.StoreError) => void
): void => {
  const { buckets, cluster, node, sync, view } = options
  switch (verb) {
    case "describe": {
      const { ring } = view
      const [formation, peers] = [view.formation(), view.peers()]
      const known = buckets.values()
      return answer(clusterText({ cluster, node, ring, formation, peers, buckets: known }))
    }
    case "sync": {
      const body = decodeSync(json ?? {})
      if (body._tag === "Failure") {
        return answer(misshapenRequest(body.failure, { json, whole: "request" }))
      }
      return sync(
        body.success,
        (outcome) => answer("_tag" in outcome ? outcome : JSON.stringify(outcome))
      )
    }
    default:
      return answer(invalid(verb))
  }
}
