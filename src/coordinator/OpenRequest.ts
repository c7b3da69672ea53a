/**
 * Follows one request from its arrival to its answer: where the answer goes, by when, and how it is
 * counted.
 */
import { invariant } from "../core/Invariant.ts"
import { NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { AnswerAddress } from "./Request.ts"

type Shared = Pick<CoordinatorContext, "counters" | "node" | "replica" | "runtime">

/** Makes the error that a request ends with of the one that was found. */
type Settle = (error: StoreError) => StoreError

export class OpenRequest<A extends object> {
  readonly #shared: Shared
  readonly #address: AnswerAddress<A>
  readonly #arrivedAt: number
  #settle: Settle = (error) => error
  readonly #changes: boolean
  #isAnswered = false
  #hasFailed = false

  /**
   * Counts the request as open until it is answered. `changes`: an exception may have left it
   * half done.
   */
  constructor(shared: Shared, address: AnswerAddress<A>, { changes }: {
    readonly changes: boolean
  }) {
    this.#shared = shared
    this.#changes = changes
    this.#address = address
    this.#arrivedAt = shared.runtime.elapsed()
    shared.counters.open++
  }

  /** When a request with this timeout must be answered, on the monotonic clock. */
  deadline(timeoutMillis: number): number {
    return this.#arrivedAt + timeoutMillis
  }

  /** Has every error pass through this before it is told. */
  settleWith(settle: Settle): void {
    this.#settle = settle
  }

  /**
   * Answers after an exception, unless it is answered. Whatever is found later is not told: it may
   * rest on what the exception left undone.
   */
  readonly fail = (): void => {
    if (this.#isAnswered) return
    const { node } = this.#shared
    const reason = `node ${node} failed at this request, and its log says why`
    this.answer(new NoAnswer({ reason, mayHaveApplied: this.#changes }))
    this.#hasFailed = true
  }

  /** Answers. **Requires** that it was not answered before. */
  answer(found: A | StoreError): void {
    if (this.#hasFailed) return
    invariant(!this.#isAnswered, "a request is answered once")
    this.#isAnswered = true
    const { counters, node, replica, runtime } = this.#shared
    const outcome = found instanceof Error ? this.#settle(found) : found
    counters.open--
    if (outcome instanceof Error) {
      counters.failures++
      if (outcome._tag === "NodeUnwritable") {
        runtime.mark("coordinator: a failing disk refuses a write")
      }
    } else if ("siblings" in outcome && Number(outcome.siblings) > 1) {
      counters.siblingsSeen++
      if (Number(outcome.siblings) > 2) runtime.mark("coordinator: three siblings are answered")
    }
    this.#address.deliver(outcome, { node, mark: replica.operations.mark() })
  }
}
