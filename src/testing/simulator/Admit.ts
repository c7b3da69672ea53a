/**
 * Gives clients' requests to nodes as messages bring them: where a node has too much to do, it
 * refuses some before it reads them.
 */
import type { Answer, AnswerAddress, Request } from "../../coordinator/Request.ts"
import type { NodeCore } from "../../node/NodeCore.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import type { SimCluster } from "./SimCluster.ts"

/** Of the messages that nodes may refuse without reading them. */
const wholeShare = 0.5

/** Gives a request to a node, which may refuse the message that it comes in without reading it. */
export const admit = (
  { cluster, random }: { readonly cluster: SimCluster; readonly random: SeededRandom },
  { coordinator }: NodeCore,
  request: Request,
  deliver: AnswerAddress<Answer>["deliver"]
): void => {
  const isWhole = cluster.refusesWhole && random.chance(wholeShare)
  const overload = isWhole ? coordinator.overload() : undefined
  if (overload !== undefined) return deliver(overload)
  const over = cluster.load.begin()
  coordinator.handle({ ...request, isAdmitted: isWhole }, {
    deliver: (outcome, sender) => {
      over(outcome._tag === "Overloaded")
      deliver(outcome, sender)
    }
  })
}
