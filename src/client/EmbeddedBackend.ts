/**
 * Lets a program be a client of the node in its own process: no transport, no encoding, and reads
 * of documents on this node without a hop.
 */
import { describe } from "../../schemas/DescribeCluster.ts"
import type { Answer } from "../coordinator/Request.ts"
import type { Questions } from "../coordinator/ClusterQuestions.ts"
import type { Coordinator } from "../coordinator/Coordinator.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import { anonymous, type Principal } from "../core/model/Principal.ts"
import { Undecodable } from "../core/model/StoreError.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Backend, BackendAnswer, BackendRequest } from "./Backend.ts"
import { namedBody } from "./NamedBody.ts"

export interface EmbeddedOptions {
  readonly runtime: Runtime
  readonly coordinator: Coordinator
  readonly view: ClusterView
  readonly buckets: Buckets
  readonly cluster: string
  readonly questions?: Questions
}

/** A program in the node's own process is anonymous, unless it asks for another client. */
const withPrincipal = <A extends { readonly principal?: Principal }>(request: A) => ({
  ...request,
  principal: request.principal ?? anonymous
})

/** A call in process arrives once: only a user that gives it again has to name it. */
const named = (request: BackendRequest): BackendRequest => {
  const { id, ...unnamed } = request
  return id === undefined ? request : { ...unnamed, body: namedBody(request) }
}

export const make = (options: EmbeddedOptions): Backend => ({
  runtime: options.runtime,
  request: (request, respond) =>
    options.coordinator.handle({ ...withPrincipal(named(request)), forwarded: false }, {
      deliver: (outcome) => respond(outcome._tag === "Answer" ? decoded(request, outcome) : outcome)
    }),
  explain: (request, respond) =>
    options.coordinator.explain(withPrincipal(request), { deliver: respond }),
  list: (request, respond) =>
    options.coordinator.list(withPrincipal(request), { deliver: respond }),
  overload: () => options.coordinator.overload(),
  ...options.questions,
  describe: (respond) => {
    const { buckets, cluster, view } = options
    const { ring, self: node } = view
    const [formation, peers] = [view.formation(), view.peers()]
    respond(describe({ cluster, node, ring, formation, peers, buckets: buckets.values() }))
  }
})

/** Values are checked where they enter a node; a faulty node may still send other text. */
const decoded = (
  { action, bucket }: BackendRequest,
  answer: Answer
): BackendAnswer | Undecodable => {
  try {
    return { ...answer, texts: answer.values, values: answer.values.map(CanonicalJson.decode) }
  } catch (error) {
    if (action === "write") return { ...answer, values: [], siblings: 0, unshown: true }
    return new Undecodable({ bucket, path: "$", problem: String(error) })
  }
}
