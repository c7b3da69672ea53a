/**
 * Waits for the node that inquires about an operation instead of this one, to which this one gave
 * way: the retry here is answered as soon as the other has done it.
 *
 * It asks under a number of its own: an answer to an earlier question may be from before the other
 * node inquired, and prove nothing.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import { OperationUnknown } from "../core/model/StoreError.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { fenceMessage } from "./FenceMessage.ts"
import { Gather, type Rules, type Served } from "./Gather.ts"
import { isKnown, joinKnown } from "./KnownOperation.ts"
import type { IdentifiedWrite } from "./ValidatedRequest.ts"

interface Awaiting {
  /** `Over`: the other has done it, or inquires no more. */
  readonly outcome: { readonly _tag: "Wait" | "Over" | "Unanswered" }
  readonly rival: NodeId
}

type Event = { readonly _tag: "Over" }

const rules: Rules<Awaiting, Event> = {
  step: (decision, event) => {
    if (decision.outcome._tag !== "Wait") return decision
    return { ...decision, outcome: { _tag: event._tag === "Over" ? "Over" : "Unanswered" } }
  },
  awaited: ({ outcome, rival }) => (outcome._tag === "Wait" ? [rival] : []),
  isFinished: ({ outcome }) => outcome._tag !== "Wait"
}

export class AwaitedRival extends Gather<Awaiting, Event> {
  readonly #write: IdentifiedWrite
  readonly #concluded: (isAnswered: boolean) => void

  constructor(
    context: CoordinatorContext,
    options: {
      readonly write: IdentifiedWrite
      readonly rival: NodeId
      readonly deadline: number
      readonly serves: Served
      readonly concluded: (isAnswered: boolean) => void
    }
  ) {
    const { concluded, deadline, rival, serves, write } = options
    super(context, { rules, decision: { outcome: { _tag: "Wait" }, rival }, deadline, serves })
    this.#write = write
    this.#concluded = concluded
  }

  start(): void {
    this.ask()
  }

  message(): PeerMessage {
    return fenceMessage(this.context, this.#write, { request: this.number, mark: undefined })
  }

  override resend(): void {
    const { rival } = this.decision
    if (this.context.view.liveness.isUp(rival)) this.send(rival)
    else this.step({ _tag: "Over" })
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag !== "Fenced" || from !== this.decision.rival) return
    this.context.peerMarks.set(from, message.mark)
    const { word } = message
    if (word._tag === "Contended") return
    if (isKnown(word)) joinKnown(this.context, this.#write, word)
    this.step({ _tag: "Over" })
  }

  tell(): void {
    this.#concluded(this.decision.outcome._tag === "Over")
  }

  unknown(): OperationUnknown {
    const { counters, runtime } = this.context
    counters.unknownOperations++
    runtime.mark("operations: nobody can tell whether one was applied")
    const reason = "it inquires about the operation, and does not answer"
    const nodes = [{ node: this.decision.rival, reason }]
    return new OperationUnknown({ nodes, mayHaveApplied: true })
  }
}
