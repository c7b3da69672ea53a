/**
 * Follows one request from its arrival to its answer: where the answer goes, by when, and how it is
 * counted.
 */
import { invariant } from "../core/Invariant.ts"
import type { NodeId } from "../core/model/Names.ts"
import { Cancelled, NoAnswer, type StoreError } from "../core/model/StoreError.ts"
import type { TraceParent } from "../core/model/TraceParent.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { AnswerAddress } from "./Request.ts"
import type { Observation, RequestNames } from "./RequestObserver.ts"

type Shared = Pick<
  CoordinatorContext,
  "admission" | "counters" | "node" | "observer" | "replica" | "runtime"
>

/** Makes the error that a request ends with of the one that was found. */
type Settle = (error: StoreError) => StoreError

export class OpenRequest<A extends object> {
  readonly #shared: Shared
  readonly #address: AnswerAddress<A>
  readonly #arrivedAt: number
  #settle: Settle | undefined
  readonly #changes: boolean
  readonly #observation: Observation | undefined
  #isAnswered = false
  #hasFailed = false
  /** Carries the request out at the moment. */
  #gather: { readonly abandon: () => void } | undefined

  /**
   * Counts the request as open until it is answered. `changes`: an exception may have left it
   * half done, and its time tells of the disks.
   */
  constructor(shared: Shared, address: AnswerAddress<A>, { changes, names }: {
    readonly changes: boolean
    readonly names: RequestNames
  }) {
    this.#shared = shared
    this.#changes = changes
    this.#observation = shared.observer?.begin(names)
    this.#address = address
    this.#arrivedAt = shared.runtime.elapsed()
    shared.admission.taken(shared.counters.open, this.#arrivedAt)
    shared.counters.open++
  }

  /** The span to name where the request is forwarded. */
  get trace(): TraceParent | undefined {
    return this.#observation?.trace
  }

  /** When a request with this timeout must be answered, on the monotonic clock. */
  deadline(timeoutMillis: number): number {
    return this.#arrivedAt + timeoutMillis
  }

  /** Has every error pass through this before it is told. */
  settleWith(settle: Settle): void {
    this.#settle = settle
  }

  /** Takes the gather that carries the request out from now on. */
  carriedOutBy(gather: { readonly abandon: () => void }): void {
    this.#gather = gather
  }

  /**
   * Ends a read that nobody waits for any more. A write goes on: a part of it may be done, and the
   * rest of its replicas need it as well.
   */
  giveUp(): void {
    if (this.#isAnswered || this.#changes) return
    this.#gather?.abandon()
    this.#shared.runtime.mark("coordinator: a read that was given up is ended")
    this.answer(new Cancelled({ mayHaveApplied: false }))
  }

  /**
   * Answers after an exception, unless it is answered. A later outcome is not told: it may rest on
   * work that the exception left undone.
   */
  fail(): void {
    if (this.#isAnswered) return
    this.answer(failedAt(this.#shared.node, this.#changes))
    this.#hasFailed = true
  }

  /** Answers. **Requires** that it was not answered before. */
  answer(found: A | StoreError): void {
    if (this.#hasFailed) return
    invariant(!this.#isAnswered, "a request is answered once")
    this.#isAnswered = true
    const { admission, counters, node, replica, runtime } = this.#shared
    const outcome = found instanceof Error ? this.#settle?.(found) ?? found : found
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
    const now = runtime.elapsed()
    const millis = now - this.#arrivedAt
    admission.ended(millis, now)
    if (this.#changes && !(outcome instanceof Error)) admission.written(millis, now)
    this.#observation?.ended({
      outcome: outcome instanceof Error ? outcome._tag : "ok",
      millis,
      characters: charactersOf(outcome)
    })
    this.#address.deliver(outcome, { node, mark: replica.operations.mark() })
  }
}

/** The error of a request that an exception ended at a node. */
export const failedAt = (node: NodeId, mayHaveApplied: boolean): NoAnswer =>
  new NoAnswer({
    reason: `node ${node} failed at this request, and its log says why`,
    mayHaveApplied
  })

const charactersOf = (outcome: object): number => {
  if (!("values" in outcome) || !Array.isArray(outcome.values)) return 0
  let characters = 0
  for (const value of outcome.values) characters += typeof value === "string" ? value.length : 0
  return characters
}
