/**
 * Answers an operator's questions about a node, the same by every way in.
 */
import type { ClusterStatus, NodeStatus } from "../../schemas/ClusterStatus.ts"
import type { PeerHandlers } from "../../schemas/PeerMessage.ts"
import type { AntiEntropy } from "../anti-entropy/AntiEntropy.ts"
import { formationBody } from "../../schemas/DescribeCluster.ts"
import { AskMembers } from "../coordinator/AskMembers.ts"
import type { Questions } from "../coordinator/ClusterQuestions.ts"
import type { Coordinator } from "../coordinator/Coordinator.ts"
import { answerTo } from "../coordinator/PeerQuestions.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import { UnknownBucket } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Formation } from "../gossip/Formation.ts"
import type { HintDelivery } from "../handoff/HintDelivery.ts"
import type { Replica } from "../replica/Replica.ts"

/** The parts of a node that tell of it. */
interface Told {
  readonly options: { readonly node: NodeId }
  readonly replica: Pick<Replica, "hints" | "incarnation">
  readonly formation: Pick<Formation, "status">
  readonly view: Pick<ClusterView, "peers">
  readonly handoff: HintDelivery
}

/** The state of this node, for people. */
const statusOf = ({ formation, handoff, options, replica, view }: Told): NodeStatus => ({
  node: options.node,
  incarnation: replica.incarnation(),
  formation: formationBody(formation.status()),
  peers: view.peers(),
  hints: handoff.report()
})

/** The parts of a node that it needs. */
interface Asked extends Told {
  readonly options: Told["options"] & {
    readonly cluster: string
    readonly buckets: Buckets
    readonly limits: Pick<NodeLimits, "syncMillis">
  }
  readonly antiEntropy: AntiEntropy
  readonly coordinator: Pick<Coordinator, "context">
}

export const questionsOf = (core: Asked): Questions => ({
  sync: ({ bucket, timeoutMillis = core.options.limits.syncMillis }, respond) => {
    const { antiEntropy, options: { buckets, node } } = core
    if (bucket !== undefined && buckets.get(bucket) === undefined) {
      return respond(new UnknownBucket({ bucket }))
    }
    antiEntropy.sync(
      { bucket: bucket ?? "", timeoutMillis },
      (nodes) => respond({ node, ...bucket === undefined ? {} : { bucket }, nodes })
    )
  },
  hints: (respond) => respond(core.handoff.report()),
  status: ({ timeoutMillis }, respond) => {
    const { coordinator, options: { cluster, node } } = core
    const ended = (nodes: ClusterStatus["nodes"]) => respond({ cluster, node, nodes })
    new AskMembers(coordinator.context, { own: statusOf(core), timeoutMillis, ended }).start()
  }
})

/** Answers other nodes, for an operator who asks one of them. */
export const peerQuestionHandlers = (
  core: Told & {
    readonly options: {
      readonly runtime: Runtime
      readonly ring: { readonly ring: { readonly partitionCount: number } }
    }
  }
): PeerHandlers<"Question"> => ({
  Question: (question, _, reply) => {
    const { options: { ring: { ring: { partitionCount } }, runtime }, replica: { hints } } = core
    const status = () => statusOf(core)
    const told = answerTo(question, { hints, partitionCount, runtime, status })
    if (told !== undefined) reply(told)
  }
})
