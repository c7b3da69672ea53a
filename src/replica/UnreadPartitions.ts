/**
 * Keeps the partitions whose rows the disk could not tell, and when each is to be tried again:
 * after twice the last pause, so that a lasting fault costs little and a short one is over soon.
 */
interface Pause {
  readonly endsAt: number
  readonly millis: number
}

export class UnreadPartitions {
  readonly #pauses = new Map<number, Pause>()
  readonly #firstMillis: number
  readonly #longestMillis: number

  constructor(millis: { readonly first: number; readonly longest: number }) {
    this.#firstMillis = millis.first
    this.#longestMillis = Math.max(millis.first, millis.longest)
  }

  failed(partition: number, now: number): void {
    const last = this.#pauses.get(partition)
    const millis = last === undefined
      ? this.#firstMillis
      : Math.min(2 * last.millis, this.#longestMillis)
    this.#pauses.set(partition, { endsAt: now + millis, millis })
  }

  read(partition: number): void {
    this.#pauses.delete(partition)
  }

  isPaused(partition: number, now: number): boolean {
    const pause = this.#pauses.get(partition)
    return pause !== undefined && pause.endsAt > now
  }

  /** The first partition whose pause has ended; infinity where there is none. */
  firstDue(now: number): number {
    let first = Infinity
    for (const [partition, { endsAt }] of this.#pauses) {
      if (endsAt <= now) first = Math.min(first, partition)
    }
    return first
  }

  /** When the next pause ends; infinity where there is none. */
  nextAt(): number {
    let next = Infinity
    for (const { endsAt } of this.#pauses.values()) next = Math.min(next, endsAt)
    return next
  }
}
