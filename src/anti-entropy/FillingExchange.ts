/**
 * Carries out one exchange of a store that is filled: has the other node send what it keeps in
 * place of owners, and everything that it has of the partitions that both hold.
 *
 * A partition counts as sent once every version that the other node had at one moment is here. One
 * that was written meanwhile is not: its document may have been at the other node alone, and the
 * write that took its place may be lost on its way here. So the two are compared again, and where
 * that has no end, the whole partition is sent.
 */
import type { PartitionSum } from "../../schemas/AntiEntropyMessage.ts"
import type { HashSet } from "../core/anti-entropy/HashSet.ts"
import { askKept } from "./AskKept.ts"
import { Comparison, those } from "./Comparison.ts"
import { Conversation } from "./Conversation.ts"
import { type ExchangeContext, sharedPartitions, sharedWith } from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"
import { fetchAll, type FetchOptions, fetchVersions } from "./Fetch.ts"
import type { Filling } from "./Filling.ts"

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
  readonly #fetch: FetchOptions

  constructor(context: ExchangeContext, options: ExchangeOptions, filling: Filling) {
    this.#context = context
    this.#options = options
    this.#filling = filling
    this.conversation = new Conversation(context, options)
    this.#fetch = { context, conversation: this.conversation, bucket: options.bucket }
  }

  start(): void {
    const { peer } = this.#options
    if (!this.#filling.isToAsk(peer)) return this.#compare(this.#shared(), [])
    const { conversation } = this
    askKept({ context: this.#context, fetch: this.#fetch, conversation }, () => {
      this.#filling.kept(peer)
      // Owners count after the last member was asked: before, their documents would be sent twice.
      if (this.#filling.isAsking()) return conversation.end(undefined)
      this.#compare(this.#shared(), [])
    })
  }

  #shared(): ReadonlyArray<number> {
    return sharedPartitions(this.#context, this.#options.peer)
      .filter((partition) => this.#context.replica.versions.isWhole(partition))
  }

  #sums(partitions: ReadonlyArray<number>): ReadonlyArray<PartitionSum> {
    const { bucket, peer } = this.#options
    const { versions } = this.#context.replica
    return partitions.map((partition) => ({
      partition,
      sum: versions.sum(partition, sharedWith(this.#context, { peer, partition, bucket }))
    }))
  }

  /** Finds the partitions that differ, many in one message. */
  #compare(left: ReadonlyArray<number>, differing: ReadonlyArray<number>): void {
    if (left.length === 0) return this.#fillEach(differing)
    const partitions = left.slice(0, this.#context.limits.partitionsInMessageMax)
    this.conversation.compare(this.#sums(partitions), (answer) => {
      const unlike = new Set(answer.differing.map(({ partition }) => partition))
      for (const partition of partitions) {
        if (unlike.has(partition) || answer.unread.includes(partition)) continue
        this.#received(partition, nothing)
      }
      const known = partitions.filter((partition) => unlike.has(partition))
      this.#compare(left.slice(partitions.length), [...differing, ...known])
    })
  }

  #fillEach([partition, ...others]: ReadonlyArray<number>): void {
    if (partition === undefined) return this.conversation.end(undefined)
    const { fillRoundsMax } = this.#context.limits
    this.#fill(partition, fillRoundsMax, nothing, () => this.#fillEach(others))
  }

  #fill(partition: number, rounds: number, before: Sent, done: () => void): void {
    const [ours] = this.#sums([partition])
    if (ours === undefined || ours.sum.count === 0) {
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
      this.#find(theirs, (found) => {
        if (found === undefined) return again(before)
        this.#fetchFound(partition, found, before, (isHere, sent) => {
          if (!isHere) return again(sent)
          this.#received(partition, sent)
          done()
        })
      })
    })
  }

  /** Finds the versions that only the other node has; undefined where some change meanwhile. */
  #find(theirs: PartitionSum, done: (found: HashSet | undefined) => void): void {
    const { limits, replica: { versions } } = this.#context
    const { bucket, peer } = this.#options
    const includes = sharedWith(this.#context, { peer, partition: theirs.partition, bucket })
    const { conversation } = this
    const asked = { versions, limits, includes, bucket, theirs, conversation }
    new Comparison(asked, (found) => {
      if (found === undefined) {
        this.#context.runtime.mark("anti-entropy: versions change while they are compared")
      }
      done(found?.theirs)
    }).start()
  }

  /** Fetches versions, and says whether all of them are here then. */
  #fetchFound(
    partition: number,
    found: HashSet,
    before: Sent,
    done: (isHere: boolean, sent: Sent) => void
  ): void {
    const { replica: { versions } } = this.#context
    const wanted = those(versions, partition, { of: found, isHeld: false })
    fetchVersions(this.#fetch, { partition, versions: wanted }, ({ taken }) => {
      const absent = those(versions, partition, { of: found, isHeld: false })
      done(absent.length === 0, {
        differences: before.differences + wanted.length / 2,
        repaired: before.repaired + taken
      })
    })
  }

  #fillWhole(partition: number, before: Sent, done: () => void): void {
    fetchAll(this.#fetch, partition, ({ refused, taken }) => {
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
