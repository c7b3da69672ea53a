/**
 * Forwards a request to a primary of the document, where this node is none, and takes the answer
 * back. A request is forwarded once: the node that gets it carries it out or refuses.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import * as ForwardDecision from "../core/forwarding/ForwardDecision.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { readForwarded, writeForward } from "./ForwardCodec.ts"
import { Gather } from "./Gather.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import type { Answer, Request } from "./Request.ts"
import type { ValidatedRead, ValidatedWrite } from "./ValidatedRequest.ts"

type Outcome = Answer | Errors.StoreError

/** Whether a node says that it did nothing, and cannot. */
const isRefusal = ({ _tag }: Outcome): boolean =>
  _tag === "NodeUnavailable" || _tag === "NodeUnwritable"

/** **Requires** that a write names its operation, or a second sending might apply it twice. */
export class Forwarding
  extends Gather<ForwardDecision.ForwardDecision<Outcome>, ForwardDecision.ForwardEvent<Outcome>>
{
  readonly #request: Request
  readonly #validated: ValidatedRead | ValidatedWrite
  readonly #open: OpenRequest<Answer>

  constructor(
    context: CoordinatorContext,
    options: {
      readonly request: Request
      readonly validated: ValidatedRead | ValidatedWrite
      /** The primaries of the document, the best first. */
      readonly nodes: ReadonlyArray<NodeId>
      readonly open: OpenRequest<Answer>
    }
  ) {
    const { nodes, open, request, validated } = options
    const { timeoutMillis } = validated
    super(context, {
      rules: ForwardDecision,
      decision: ForwardDecision.make({ action: request.action, nodes }),
      deadline: open.deadline(timeoutMillis) + context.limits.forwardGraceMillis
    })
    this.#request = { ...request, body: { ...request.body, timeoutMillis } }
    this.#validated = validated
    this.#open = open
  }

  start(): void {
    this.ask()
  }

  /** Notes which incarnation of the node is asked, and sends. */
  override send(node: NodeId): void {
    const { forwardedWrites, incarnationOf } = this.context
    const incarnation = incarnationOf(node)
    forwardedWrites.sent(this.#request, node, incarnation)
    this.step({ _tag: "Sent", incarnation })
    super.send(node)
  }

  message(): PeerMessage {
    const body = writeForward(this.#request, this.decision.incarnation)
    return { _tag: "Forward", request: this.number, body }
  }

  override resend(): void {
    const { runtime, view } = this.context
    view.liveness.unanswered(ForwardDecision.nodeOf(this.decision))
    runtime.mark("coordinator: a request is forwarded again")
    this.#carryOn({ _tag: "Late" })
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag !== "Forwarded") return
    const answer = readForwarded(message.body)
    if (answer === undefined) return
    if (answer._tag === "OtherIncarnation") {
      // Its frame has said, too, which incarnation of it is to be asked.
      const heard = this.context.incarnationOf(from)
      return this.#carryOn({ _tag: "OtherIncarnation", from, asked: answer.asked, heard })
    }
    const isCertain = this.#isCertain()
    if (isRefusal(answer)) return this.#carryOn({ _tag: "Refused", from, answer, isCertain })
    const isPassing = Errors.isPassing(answer)
    this.#carryOn({ _tag: "Answered", answer, isPassing, isCertain })
  }

  /** Whether an answer speaks of every sending of this operation: there was only one. */
  #isCertain(): boolean {
    const { action } = this.#request
    return action === "read" || this.context.forwardedWrites.wasSentOnce(this.#request)
  }

  /** Steps, and sends to the node that the decision names next. */
  #carryOn(event: ForwardDecision.ForwardEvent<Outcome>): void {
    this.step(event)
    const { next } = this.decision
    if (next === undefined) return
    const { runtime } = this.context
    if (event._tag === "Refused") {
      runtime.mark("coordinator: a refused request goes to another primary")
    }
    this.send(next)
  }

  tell(): void {
    const { outcome } = this.decision
    if (outcome._tag === "Fail") return this.#open.answer(this.#unsure())
    if (outcome._tag !== "Answer") return
    if (outcome.noneApplied) this.context.forwardedWrites.forget(this.#request)
    this.#open.answer(outcome.answer)
  }

  #unsure(): Errors.QuorumNotMet {
    const { action } = this.#request
    const { _tag, ...needed } = this.#validated.needs
    return new Errors.QuorumNotMet({
      action,
      needed,
      had: Object.fromEntries(Object.keys(needed).map((name) => [name, 0])),
      unreachable: [...this.decision.asked],
      refused: [],
      mayHaveApplied: action === "write"
    })
  }
}
