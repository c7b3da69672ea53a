/**
 * Says when writes are worth trying: always while the disk works, and now and then while it does
 * not, so that it is noticed when it works again. Not more often: each attempt that fails costs an
 * incarnation, and so an actor in the context of every document that was sent.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { StorageFailure, StorageService } from "../storage/Storage.ts"

export class DiskBreaker {
  readonly #storage: StorageService
  readonly #runtime: Runtime
  /** Whether the last commit of a document failed. */
  #failing = false
  readonly #retryMillis: number
  #triedAt = -Infinity

  constructor(options: {
    readonly storage: StorageService
    readonly runtime: Runtime
    readonly limits: Pick<NodeLimits, "diskRetryMillis">
  }) {
    this.#storage = options.storage
    this.#runtime = options.runtime
    this.#retryMillis = options.limits.diskRetryMillis
  }

  get isDue(): boolean {
    return this.#isFit || this.#runtime.elapsed() - this.#triedAt >= this.#retryMillis
  }

  /** Notes that a document goes to the disk: only that tells how the disk is. */
  begin(): void {
    if (this.#isFit) return
    this.#runtime.mark("replica: a failing disk is tried again")
    this.#triedAt = this.#runtime.elapsed()
  }

  end(failure: StorageFailure | undefined): void {
    this.#failing = failure !== undefined
    if (this.#failing) this.#triedAt = this.#runtime.elapsed()
  }

  get #isFit(): boolean {
    return !this.#failing && this.#storage.healthy()
  }
}
