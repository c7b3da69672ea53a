/**
 * Bounds the memory that answered requests hold while they wait for slow replicas. By time alone,
 * large documents could fill it while an unreachable replica is waited for.
 */

export class LateReplyBudget {
  readonly #max: number
  #held = 0

  constructor(max: number) {
    this.#max = max
  }

  get held(): number {
    return this.#held
  }

  /** Whether a request may wait on with so many bytes; if so, it gives them back when it ends. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#max) return false
    this.#held += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#held -= bytes
  }
}
