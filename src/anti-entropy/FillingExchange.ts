/**
 * Carries out one exchange of a store that is filled: has the other node send what it keeps in
 * place of owners, and everything that it has of the partitions that both hold.
 *
 * A partition counts as sent once every version that the other node had at one moment is here. One
 * that was written meanwhile is not: its document may have been at the other node alone, and the
 * write that took its place may be lost on its way here. So the two are compared again, and where
 * that has no end, the whole partition is sent.
 */
import type { HashSet } from "../core/anti-entropy/HashSet.ts"
import { askKept } from "./AskKept.ts"
import { lackedOf } from "./Comparison.ts"
import { Conversation } from "./Conversation.ts"
import type { ExchangeContext } from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"
import { fetchAll, fetchVersions } from "./Fetch.ts"
import type { Filling } from "./Filling.ts"
import { compareShared, findDifference, sharedSum } from "./SharedSums.ts"

/** What one partition took. */
interface Sent {
  readonly differences: number
  readonly repaired: number
}

const nothing: Sent = { differences: 0, repaired: 0 }

export class FillingExchange {
  readonly conversation: Conversation
  readonly #context: ExchangeContext
  readonly #options: ExchangeOptions
  readonly #filling: Filling

  constructor(context: ExchangeContext, options: ExchangeOptions, filling: Filling) {
    this.#context = context
    this.#options = options
    this.#filling = filling
    this.conversation = new Conversation(context, options)
  }

  start(): void {
    const { conversation } = this
    const { peer } = this.#options
    if (!this.#filling.isToAsk(peer)) return this.#compare()
    askKept(conversation, () => {
      this.#filling.kept(peer)
      // Owners are compared after the members: most tell in their first turn.
      if (this.#filling.isAsking()) return conversation.end(undefined)
      this.#compare()
    })
  }

  #compare(): void {
    compareShared(
      this.conversation,
      (partition) => this.#received(partition, nothing),
      (differing) => this.#fillEach(differing.map(({ partition }) => partition))
    )
  }

  #fillEach([partition, ...others]: ReadonlyArray<number>): void {
    if (partition === undefined) return this.conversation.end(undefined)
    const { fillRoundsMax } = this.#context.limits
    this.#fill(partition, fillRoundsMax, nothing, () => this.#fillEach(others))
  }

  #fill(partition: number, rounds: number, before: Sent, done: () => void): void {
    const ours = sharedSum(this.conversation, partition)
    if (ours.sum.count === 0) {
      this.#context.runtime.mark("anti-entropy: an empty partition is filled")
      return this.#fillWhole(partition, before, done)
    }
    if (rounds === 0) {
      this.#context.runtime.mark("anti-entropy: a version changes before it has come")
      return this.#fillWhole(partition, before, done)
    }
    const again = (sent: Sent) => this.#fill(partition, rounds - 1, sent, done)
    this.conversation.compare([ours], ({ differing: [theirs], unread }) => {
      if (unread.length > 0) return done()
      if (theirs?.partition !== partition) {
        this.#received(partition, before)
        return done()
      }
      findDifference(this.conversation, theirs, (found) => {
        if (found === undefined) return again(before)
        this.#fetchFound(partition, { found: found.theirs, before }, (isHere, sent) => {
          if (!isHere || !found.isOfOneMoment) return again(sent)
          this.#received(partition, sent)
          done()
        })
      })
    })
  }

  /** Fetches versions, and says whether all of them are here then. */
  #fetchFound(
    partition: number,
    { before, found }: { readonly before: Sent; readonly found: HashSet },
    done: (isHere: boolean, sent: Sent) => void
  ): void {
    const { replica: { versions } } = this.#context
    const wanted = lackedOf(versions, partition, found)
    fetchVersions(this.conversation, { partition, versions: wanted }, ({ taken }) => {
      const absent = lackedOf(versions, partition, found)
      done(absent.length === 0, {
        differences: before.differences + wanted.length / 2,
        repaired: before.repaired + taken
      })
    })
  }

  #fillWhole(partition: number, before: Sent, done: () => void): void {
    fetchAll(this.conversation, partition, ({ refused, taken }) => {
      const sent = {
        differences: before.differences + taken,
        repaired: before.repaired + taken
      }
      if (refused === 0) this.#received(partition, sent)
      done()
    })
  }

  #received(partition: number, sent: Sent): void {
    this.#filling.received(partition, this.#options.peer)
    this.#options.outcome({ partition, ...sent })
  }
}
