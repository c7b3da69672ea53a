/**
 * Says when writes are worth trying: always while the disk works, and once a second while it does
 * not, so that it is noticed when it works again. Not more often: each attempt that fails costs an
 * incarnation, and so an actor in the context of every document that was sent.
 */
import type { Runtime } from "../core/Runtime.ts"
import type { StorageFailure, StorageService } from "../storage/Storage.ts"

const retryMillis = 1000

export class DiskBreaker {
  readonly #storage: StorageService
  readonly #runtime: Runtime
  /** Whether the last commit of a document failed. */
  #failing = false
  #triedAt = -retryMillis

  constructor(options: { readonly storage: StorageService; readonly runtime: Runtime }) {
    this.#storage = options.storage
    this.#runtime = options.runtime
  }

  get isDue(): boolean {
    return this.#isFit || this.#runtime.elapsed() - this.#triedAt >= retryMillis
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
