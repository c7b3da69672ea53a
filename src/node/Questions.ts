/**
 * Answers an operator's questions about a node, the same by every way in.
 */
import type { PeerHandlers } from "../../schemas/PeerMessage.ts"
import type { AntiEntropy } from "../anti-entropy/AntiEntropy.ts"
import type { Questions } from "../coordinator/ClusterQuestions.ts"
import { answerTo } from "../coordinator/PeerQuestions.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import { UnknownBucket } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { HintDelivery } from "../handoff/HintDelivery.ts"
import type { Replica } from "../replica/Replica.ts"

/** The parts of a node that it needs. */
interface Asked {
  readonly options: {
    readonly node: NodeId
    readonly buckets: Buckets
    readonly limits: Pick<NodeLimits, "syncMillis">
  }
  readonly antiEntropy: AntiEntropy
  readonly handoff: HintDelivery
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
  hints: (respond) => respond(core.handoff.report())
})

/** Answers other nodes, for an operator who asks one of them. */
export const peerQuestionHandlers = (core: {
  readonly options: {
    readonly runtime: Runtime
    readonly ring: { readonly ring: { readonly partitionCount: number } }
  }
  readonly replica: Pick<Replica, "hints">
}): PeerHandlers<"Question"> => ({
  Question: (question, _, reply) => {
    const { options: { ring: { ring: { partitionCount } }, runtime }, replica: { hints } } = core
    const told = answerTo(question, { hints, partitionCount, runtime })
    if (told !== undefined) reply(told)
  }
})
