/**
 * Tells forwarded writes from their repeats, which the network may deliver much later: a repeat is
 * passed over in silence, so that each answer speaks of the one time that its message came.
 *
 * Each sending of a peer has a number, which only grows. Of each incarnation of a peer the last
 * ones are remembered; one that is older than all of them counts as lost.
 */
import type { NodeLimits } from "../core/model/Limits.ts"

interface Seen {
  /** Invariant: all of them are greater. */
  floor: number
  readonly numbers: Set<number>
}

/** Incarnations of peers that are remembered: a restart of each of 64 nodes, four times. */
const sendersMax = 256

export class ForwardsSeen {
  readonly #max: number
  /** By sender, in the order of their last new message. */
  readonly #senders = new Map<string, Seen>()

  constructor({ forwardsSeenMax }: Pick<NodeLimits, "forwardsSeenMax">) {
    this.#max = forwardsSeenMax
  }

  /** Whether a sending is new, which it is once. */
  isNew(sender: string, sending: number): boolean {
    const seen = this.#senders.get(sender) ?? { floor: -1, numbers: new Set<number>() }
    if (sending <= seen.floor || seen.numbers.has(sending)) return false
    this.#senders.delete(sender)
    this.#senders.set(sender, seen)
    seen.numbers.add(sending)
    if (seen.numbers.size > this.#max) {
      seen.floor = Math.min(...seen.numbers)
      seen.numbers.delete(seen.floor)
    }
    const [oldest] = this.#senders.keys()
    if (this.#senders.size > sendersMax && oldest !== undefined) this.#senders.delete(oldest)
    return true
  }
}
