/**
 * Answers a client's read with the document that the read found.
 */
import { answerOf } from "./Answer.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import { ReadCoordinator, type ReadOutcome, withoutLost } from "./ReadCoordinator.ts"
import type { Answer } from "./Request.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

export class ClientRead extends ReadCoordinator {
  readonly #open: OpenRequest<Answer>

  constructor(context: CoordinatorContext, read: ValidatedRead, open: OpenRequest<Answer>) {
    const deadline = open.deadline(read.timeoutMillis)
    super(context, read, { deadline, serves: open, spares: true })
    this.#open = open
  }

  found(outcome: ReadOutcome): void {
    if (outcome instanceof Error) return this.#open.answer(outcome)
    const { counters, seal, view } = this.context
    const { merge } = this.read
    const { lost, ...shown } = outcome
    const nowMillis = view.agreedNow()
    if (lost.size === 0) {
      return this.#open.answer(answerOf(this.read, { seal, merge, nowMillis, ...shown }))
    }
    counters.lostTold++
    const after = withoutLost(this.read.after, outcome)
    const answer = answerOf({ ...this.read, after }, { seal, merge, nowMillis, ...shown })
    this.#open.answer(answer._tag === "Answer" ? { ...answer, lost: true } : answer)
  }
}
