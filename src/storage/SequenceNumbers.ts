/**
 * Numbers the changes of each partition at their acceptance.
 *
 * Each opening of the store is an epoch with numbers of its own. So no number is given twice,
 * although no counter is kept on disk: a number given before a crash belongs to an earlier epoch.
 *
 * Invariant: a number is a safe integer, and greater than all that its partition was given before.
 */
import { invariant } from "../core/Invariant.ts"
import type { Change } from "./Storage.ts"

/** Enough for 1,000 changes of one partition each second, for 49 days without a restart. */
export const numbersInEpoch = 2 ** 32

/** Enough for an opening each minute, for three years. */
export const epochMax = 2 ** 21 - 1

export class SequenceNumbers {
  readonly #first: number
  /** How many numbers each partition was given: small ones, which a map holds in itself. */
  readonly #given = new Map<number, number>()

  constructor(epoch: number) {
    invariant(
      Number.isInteger(epoch) && epoch > 0 && epoch <= epochMax,
      `a store is opened at most ${epochMax} times`
    )
    this.#first = epoch * numbersInEpoch
  }

  /** The numbers of changes, in their order. */
  nextOf(changes: ReadonlyArray<Pick<Change, "key">>): ReadonlyArray<number> {
    return changes.length === 1
      ? [this.next(changes[0]!.key.partition)]
      : changes.map(({ key }) => this.next(key.partition))
  }

  next(partition: number): number {
    const given = this.#given.get(partition) ?? 0
    invariant(
      given < numbersInEpoch,
      `a partition has at most ${numbersInEpoch} changes between two openings of its store`
    )
    this.#given.set(partition, given + 1)
    return this.#first + given
  }
}
