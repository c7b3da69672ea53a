/**
 * Forwards a request to a primary of the document, where this node is none, and takes the answer
 * back. A request is forwarded once: the node that gets it carries it out or refuses. Where none
 * can be reached, and none may have carried it out, this node does so in the end.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import * as ForwardDecision from "../core/forwarding/ForwardDecision.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { OperationId } from "../core/operations/OperationId.ts"
import type { Target } from "../core/operations/Proof.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { readForwarded, writeForward } from "./ForwardCodec.ts"
import { Gather } from "./Gather.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import type { Answer, Request } from "./Request.ts"
import { sloppyField, takesOver } from "./SloppyTargets.ts"
import type { ValidatedRead, ValidatedWrite } from "./ValidatedRequest.ts"

type Outcome = Answer | Errors.StoreError

/** The operation of a write that is forwarded. */
export interface ForwardedOperation {
  readonly id: OperationId
  readonly row: RowKey
  /** Nodes that were asked for it before and have not refused. */
  readonly tried: ReadonlyArray<Target>
  /** Whether the client named a mark, so that marks prove something. */
  readonly hasMarks: boolean
  /** Whether it may come again here: not where it was named here for this one request. */
  readonly isNoted: boolean
}

/** Whether a node says that it did nothing, and cannot. */
const isRefusal = ({ _tag }: Outcome): boolean =>
  _tag === "NodeUnavailable" || _tag === "NodeUnwritable"

/**
 * A write that is forwarded is noted with its node and mark before it is sent, so that a retry
 * follows it, and others learn where it went.
 *
 * **Requires** that a write names its operation, or a second sending might apply it twice.
 */
export class Forwarding
  extends Gather<ForwardDecision.ForwardDecision<Outcome>, ForwardDecision.ForwardEvent<Outcome>>
{
  readonly #request: Request
  readonly #validated: ValidatedRead | ValidatedWrite
  readonly #operation: ForwardedOperation | undefined
  readonly #open: OpenRequest<Answer>
  readonly #ended: () => void
  readonly #carryOut: () => void
  /** Arrivals here before this request. */
  readonly #begunAt: number
  /** The message that is sent next. */
  #message: PeerMessage | undefined

  constructor(
    context: CoordinatorContext,
    options: {
      readonly request: Request
      readonly validated: ValidatedRead | ValidatedWrite
      /** The operation of a write. */
      readonly operation: ForwardedOperation | undefined
      /** The primaries of the document, the best first. */
      readonly nodes: ReadonlyArray<NodeId>
      readonly open: OpenRequest<Answer>
      /** Called once the client is told. */
      readonly ended: () => void
      /** Carries the request out at this node. */
      readonly carryOut: () => void
    }
  ) {
    const { carryOut, ended, nodes, open, operation, request, validated } = options
    const { timeoutMillis } = validated
    super(context, {
      rules: ForwardDecision,
      decision: ForwardDecision.make({
        action: request.action,
        nodes,
        tried: operation?.tried ?? []
      }),
      deadline: open.deadline(timeoutMillis) + context.limits.forwardGraceMillis,
      serves: {
        fail: () => {
          open.fail()
          ended()
        },
        carriedOutBy: (gather) => open.carriedOutBy(gather)
      }
    })
    this.#request = { ...request, body: { ...request.body, timeoutMillis } }
    this.#validated = validated
    this.#operation = operation
    this.#open = open
    this.#ended = ended
    this.#carryOut = carryOut
    this.#begunAt = context.replica.operations.memory().arrivals
  }

  start(): void {
    this.ask()
  }

  /** Notes which node is asked, and under which mark, and sends. */
  override send(node: NodeId): void {
    const { nextSending, replica } = this.context
    const operation = this.#operation
    const { tried } = this.decision
    const mark = operation?.hasMarks === true ? this.#markFor(node) : undefined
    if (operation?.isNoted === true && mark !== "") {
      const { id, row } = operation
      replica.operations.forwarded(row, id, { node, mark })
    }
    const sending = nextSending()
    this.#message = this.#messageOf({ mark, sending, tried })
    this.step({ _tag: "Sent", sending, mark })
    super.send(node)
  }

  message(): PeerMessage {
    invariant(this.#message !== undefined, "a message is made before it is sent")
    return this.#message
  }

  /**
   * The mark under which a node was asked before, or else its newest one that is known here. One
   * that has said nothing for a while may be out of reach: asked for its mark alone it does
   * nothing, and the write may go elsewhere.
   */
  #markFor(node: NodeId): string {
    const { hasNewMark, tried } = this.decision
    const asked = tried.find((target) => target.node === node)
    if (asked?.mark !== undefined) return asked.mark
    const { limits: { resendMinMillis }, peerMarks, view: { liveness } } = this.context
    const hasAnswered = hasNewMark || liveness.sinceHeardMillis(node) <= resendMinMillis
    return hasAnswered ? peerMarks.get(node) : ""
  }

  #messageOf(
    { mark, sending, tried }: {
      readonly mark: string | undefined
      readonly sending: number
      readonly tried: ReadonlyArray<Target>
    }
  ): PeerMessage {
    const { mark: _, tried: before = [], ...body } = this.#request.body
    const { liveness } = this.context.view
    const isUnreachable = (node: NodeId) =>
      !liveness.isUp(node)
      || before.some((target) => target.node === node && target.unreachable === true)
    const named = this.#operation === undefined ? {} : {
      operationId: this.#operation.id,
      ...(mark === undefined ? {} : { mark }),
      tried: tried.map((target) => ({
        node: target.node,
        ...(target.mark === undefined ? {} : { mark: target.mark }),
        ...(isUnreachable(target.node) ? { unreachable: true as const } : {})
      }))
    }
    const request = { ...this.#request, body: { ...body, ...named } }
    return { _tag: "Forward", request: this.number, body: writeForward({ request, sending }) }
  }

  override resend(): void {
    const { runtime, view: { liveness } } = this.context
    const isInTime = runtime.elapsed() < this.#open.deadline(this.#validated.timeoutMillis)
    const isDoneNowhere = this.#request.action === "read" || this.decision.tried.length === 0
    if (isInTime && isDoneNowhere && takesOver(this.context, this.#validated)) {
      return this.#takeOver()
    }
    const node = ForwardDecision.nodeOf(this.decision)
    const isDown = this.#request.action === "write" && !liveness.isUp(node)
    liveness.unanswered(node)
    runtime.mark("coordinator: a request is forwarded again")
    if (isDown) runtime.mark("coordinator: a write goes on from a node that is down")
    this.#carryOn({ _tag: isDown ? "Down" : "Late" })
  }

  /** No primary can be reached by now, and none may have carried it out. */
  #takeOver(): void {
    this.context.runtime.mark("coordinator: a request that was forwarded is carried out here")
    this.abandon()
    this.#ended()
    this.#carryOut()
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag !== "Forwarded") return
    const forwarded = readForwarded(message.body)
    if (forwarded === undefined) return
    const { mark, outcome: answer, sending } = forwarded
    this.context.peerMarks.set(from, mark)
    if (answer._tag === "StaleMark") return this.#carryOn({ _tag: "Stale", from, sending })
    if (isRefusal(answer)) return this.#carryOn({ _tag: "Refused", from, sending, answer })
    const isPassing = Errors.isPassing(answer)
    this.#carryOn({ _tag: "Answered", from, sending, answer, isPassing })
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
    if (this.#isFenced()) {
      runtime.mark("coordinator: another node has taken a forwarded write over")
      return this.step({ _tag: "Deadline" })
    }
    this.send(next)
  }

  /**
   * Whether another node was promised since that this one would ask nobody else, or has carried it
   * out and sent it here, to be kept for a primary.
   */
  #isFenced(): boolean {
    if (this.#operation?.isNoted !== true) return false
    const { id, row } = this.#operation
    const { replica } = this.context
    // A note made since may be forgotten, a promise among them.
    if (replica.operations.memory().evictedThrough > this.#begunAt) return true
    const trace = replica.trace(row, id)
    if (trace === undefined) return false
    const notedAt = trace._tag === "Forwarded" ? trace.fencedAt : trace.arrival
    return notedAt > this.#begunAt
  }

  tell(): void {
    const { outcome } = this.decision
    if (outcome._tag === "Wait") return
    if (outcome._tag === "Answer" && outcome.noneApplied && this.#operation?.isNoted === true) {
      const { id, row } = this.#operation
      this.context.replica.operations.fence(row, id, { isRefused: true })
    }
    this.#open.answer(outcome._tag === "Answer" ? outcome.answer : this.#unsure())
    this.#ended()
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
      ...sloppyField(this.#validated),
      mayHaveApplied: action === "write" && this.decision.tried.length > 0
    })
  }
}
