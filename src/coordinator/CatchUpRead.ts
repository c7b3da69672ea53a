/**
 * Reads the writes that a client has seen and this replica has not, joins them here, and begins the
 * client's write again: a removal could not be told exactly without it.
 */
import * as CausalContext from "../core/clock/CausalContext.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import { ReadCoordinator } from "./ReadCoordinator.ts"
import { type ReadOutcome, withoutLost } from "./ReadOutcome.ts"
import type { Answer } from "./Request.ts"
import { owedHere } from "./SloppyTargets.ts"
import type { ValidatedWrite } from "./ValidatedRequest.ts"

export class CatchUpRead extends ReadCoordinator {
  readonly #open: OpenRequest<Answer>
  readonly #write: ValidatedWrite
  readonly #again: (write: ValidatedWrite) => void

  constructor(
    context: CoordinatorContext,
    options: {
      readonly write: ValidatedWrite
      readonly open: OpenRequest<Answer>
      /** Begins the write again. Dots that it had seen, and that are lost, count as seen. */
      readonly again: (write: ValidatedWrite) => void
    }
  ) {
    const { again, open, write } = options
    const after = CausalContext.join(write.after, write.seen ?? CausalContext.nothing)
    const needs = { _tag: "ReadNeeds", r: 1, pr: 0 } as const
    const deadline = open.deadline(write.timeoutMillis)
    super(context, { ...write, needs, after }, { deadline, serves: open, spares: false })
    this.#open = open
    this.#write = write
    this.#again = again
    context.counters.catchUps++
    context.runtime.mark("coordinator: a write catches up with its context")
  }

  found(outcome: ReadOutcome): void {
    const { node, replica, runtime } = this.context
    if (outcome instanceof Error) {
      runtime.mark("coordinator: a write cannot catch up")
      return this.#open.answer(outcome)
    }
    const { document } = outcome
    const owed = owedHere(this.context, this.read)
    const joined = replica.join({ key: this.read.row, document, owed }, () => {})
    if (joined._tag === "Refused") {
      const { reason } = joined
      return this.#open.answer(new Errors.NodeUnwritable({ node, reason }))
    }
    const { seen, ...write } = this.#write
    if (outcome.lost.size === 0 || seen === undefined) return this.#again(this.#write)
    runtime.mark("coordinator: a write has seen what is lost")
    this.#again({ ...write, seen: withoutLost(seen, outcome) })
  }
}
