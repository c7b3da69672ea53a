/**
 * Asks every member for its state, for an operator: all at once, and until a deadline.
 */
import type { ClusterStatus, NodeStatus } from "../../schemas/ClusterStatus.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as CollectDecision from "../core/quorum/CollectDecision.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { Gather } from "./Gather.ts"
import { nodeQuestion, statusIn } from "./PeerQuestions.ts"

type Nodes = ClusterStatus["nodes"]

export class AskMembers extends Gather<
  CollectDecision.CollectDecision<NodeStatus>,
  CollectDecision.CollectEvent<NodeStatus>
> {
  readonly #own: NodeStatus
  readonly #ended: (nodes: Nodes) => void

  constructor(
    context: CoordinatorContext,
    { ended, own, timeoutMillis = context.limits.readTimeoutMillis }: {
      /** The state of this node. */
      readonly own: NodeStatus
      readonly timeoutMillis?: number | undefined
      /** Called once. */
      readonly ended: (nodes: Nodes) => void
    }
  ) {
    super(context, {
      rules: CollectDecision,
      decision: CollectDecision.make(context.view.members().map(({ id }) => id)),
      deadline: context.runtime.elapsed() + timeoutMillis,
      serves: undefined
    })
    this.#own = own
    this.#ended = ended
  }

  start(): void {
    this.ask()
    this.step({ _tag: "Answered", node: this.context.node, answer: this.#own })
  }

  message(): PeerMessage {
    return nodeQuestion(this.number)
  }

  hear(node: NodeId, message: PeerMessage): void {
    const answer = message._tag === "Told" ? statusIn(message) : undefined
    if (answer !== undefined) this.step({ _tag: "Answered", node, answer })
  }

  tell(): void {
    const { answers, nodes } = this.decision
    this.#ended(nodes.map((node) => {
      const told = answers.get(node)
      return told === undefined ? { node } : { node, told }
    }))
  }
}
