/**
 * Answers a client's read with the document that the read found.
 */
import { NodeUnavailable } from "../core/model/StoreError.ts"
import { answerOf } from "./Answer.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import { ReadCoordinator } from "./ReadCoordinator.ts"
import { type ReadOutcome, withoutLost } from "./ReadOutcome.ts"
import type { Answer } from "./Request.ts"
import { stopping } from "./Unanswered.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

export class ClientRead extends ReadCoordinator {
  readonly #open: OpenRequest<Answer>

  constructor(context: CoordinatorContext, read: ValidatedRead, open: OpenRequest<Answer>) {
    const deadline = open.deadline(read.timeoutMillis)
    super(context, read, { deadline, serves: open, spares: true })
    this.#open = open
  }

  /** It is refused: replicas that it spared were not asked, and another node can ask them. */
  stop(): void {
    if (this.decision.outcome._tag !== "Wait") return this.expire()
    this.abandon()
    this.#open.answer(new NodeUnavailable({ node: this.context.node, reason: stopping }))
  }

  found(outcome: ReadOutcome): void {
    if (outcome instanceof Error) return this.#open.answer(outcome)
    const { answers, counters, seal, view } = this.context
    const { after: seen, merge } = this.read
    const { lost, ...shown } = outcome
    const { document, replied } = shown
    const nowMillis = view.agreedNow()
    if (lost.size === 0) {
      const answer = { seal, merge, nowMillis, document, replied }
      const isSession = seen.stamp !== 0 || seen.vector.size > 0
      return this.#open.answer(
        isSession ? answerOf(this.read, answer) : answers.answerOf(this.read, answer)
      )
    }
    counters.lostTold++
    const after = withoutLost(this.read.after, outcome)
    const answer = answerOf({ ...this.read, after }, { seal, merge, nowMillis, ...shown })
    this.#open.answer(answer._tag === "Answer" ? { ...answer, lost: true } : answer)
  }
}
