/**
 * Asks the nodes that were asked for an operation before, and the primaries, whether they have done
 * it, so that it may be done here: carries out the decision of `core/operations`.
 */
import type { Fence, Fenced, PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import { OperationUnknown } from "../core/model/StoreError.ts"
import * as InquiryDecision from "../core/operations/InquiryDecision.ts"
import * as Proof from "../core/operations/Proof.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { fenceMessage } from "./FenceMessage.ts"
import { Gather, type Served } from "./Gather.ts"
import { joinKnown } from "./KnownOperation.ts"
import type { IdentifiedWrite } from "./ValidatedRequest.ts"

type Outcome = Exclude<InquiryDecision.InquiryOutcome, { readonly _tag: "Wait" }>

export class Inquiry extends Gather<InquiryDecision.InquiryDecision, InquiryDecision.InquiryEvent> {
  readonly #write: IdentifiedWrite
  readonly #concluded: (outcome: Outcome) => void

  constructor(
    context: CoordinatorContext,
    options: {
      readonly write: IdentifiedWrite
      readonly verdict: Extract<Proof.Verdict, { readonly _tag: "Inquire" }>
      /** From then on nobody is waited for. */
      readonly deadline: number
      readonly serves: Served
      readonly concluded: (outcome: Outcome) => void
    }
  ) {
    const { concluded, deadline, serves, verdict, write } = options
    const { bucket, ifUnknown, row, unreachable } = write
    const { node: self, view } = context
    const { targets } = view.placement(row.partition, bucket.definition.n)
    super(context, {
      rules: InquiryDecision,
      decision: InquiryDecision.make({
        ...verdict,
        self,
        ifUnknown,
        owners: targets.map(({ node }) => node),
        isAway: (node) => !view.liveness.isUp(node) || unreachable.includes(node)
      }),
      deadline,
      serves
    })
    this.#write = write
    this.#concluded = concluded
  }

  start(): void {
    this.context.counters.inquiries++
    if (this.decision.outcome._tag !== "Wait") return this.tell()
    this.ask()
    // It may be up all the same; nobody waits for it.
    for (const question of this.decision.questions) {
      if (question.state === "away") this.#ask(question)
    }
  }

  /** Asks a node under every mark that it was asked to do it under. */
  override send(node: NodeId): void {
    const { liveness } = this.context.view
    liveness.expects(node)
    for (const question of this.decision.questions) {
      if (question.node === node && question.state === "open") this.#ask(question)
    }
  }

  message(): PeerMessage {
    return this.#fence(undefined)
  }

  #ask({ mark, node }: Proof.Target): void {
    this.context.send(node, this.#fence(mark))
  }

  #fence(mark: string | undefined): Fence {
    return fenceMessage(this.context, this.#write, { request: this.number, mark })
  }

  override resend(): void {
    const { liveness } = this.context.view
    for (const node of InquiryDecision.awaited(this.decision)) {
      if (liveness.isUp(node)) this.send(node)
      else this.step({ _tag: "Away", node })
    }
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (message._tag !== "Fenced") return
    this.context.peerMarks.set(from, message.mark)
    const before = this.decision.questions
    this.step(this.#eventOf(from, message))
    for (const question of this.decision.questions) {
      if (!before.some(({ mark, node }) => node === question.node && mark === question.mark)) {
        this.#ask(question)
      }
    }
  }

  #eventOf(from: NodeId, { asked: mark, word }: Fenced): InquiryDecision.InquiryEvent {
    switch (word._tag) {
      case "Known":
      case "KnownSince":
        return joinKnown(this.context, this.#write, word)
          ? { _tag: "Known", from }
          : { _tag: "Unknown", from, mark }
      case "Contended":
        return { _tag: "Rival", node: from }
      case "Forwarded":
        return { _tag: "Forwarded", from, mark, targets: word.targets.map((to) => this.#next(to)) }
      default:
        return { _tag: word._tag, from, mark }
    }
  }

  #next(target: Proof.Target): InquiryDecision.NextTarget {
    const { node: self, replica, view } = this.context
    const { id, row } = this.#write
    const trace = replica.trace(row, id)
    const word = Proof.testify(replica.operations.memory(), { trace, mark: target.mark })
    return {
      ...target,
      isProven: target.node !== self || word._tag === "Fenced",
      isAway: !view.liveness.isUp(target.node)
    }
  }

  tell(): void {
    const { outcome } = this.decision
    if (outcome._tag !== "Wait") this.#concluded(outcome)
  }

  /** The error that says which nodes could not tell, and why. */
  unknown(nodes: ReadonlyArray<NodeId>): OperationUnknown {
    this.context.counters.unknownOperations++
    this.context.runtime.mark("operations: nobody can tell whether one was applied")
    const reasonOf = (node: NodeId): string =>
      this.decision.questions.some((question) =>
          question.node === node && question.state === "away"
        )
        ? "it does not answer"
        : "it may have forgotten the operation"
    return new OperationUnknown({
      nodes: nodes.map((node) => ({ node, reason: reasonOf(node) })),
      mayHaveApplied: true
    })
  }
}
