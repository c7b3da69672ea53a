/**
 * Carries out one exchange with another node: compares the sums of all partitions that both hold,
 * finds the versions that only one of them has, and, where a difference lasts, has both nodes join
 * each other's documents. Nothing else is written: no clock counts on, and nothing is removed.
 */
import type { PartitionSum } from "../../schemas/AntiEntropyMessage.ts"
import { HashSet } from "../core/anti-entropy/HashSet.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { type Found, heldOf, lackedOf } from "./Comparison.ts"
import { Conversation } from "./Conversation.ts"
import { bytesIn, type ExchangeContext, gather, holdsAny, sharedWith } from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"
import { fetchAll, fetchVersions } from "./Fetch.ts"
import { compareShared, findDifference, sharedSum } from "./SharedSums.ts"

/** A partition that differs. */
interface Differing {
  readonly partition: number
  /** Undefined where this node has none of its documents, and fetches all. */
  readonly found: Found | undefined
}

/** Of the versions that were offered. */
interface Offered {
  /** Versions that the other node lacked. */
  readonly lacking: number
  /** Documents that it joined. */
  readonly stored: number
}

export class Exchange {
  readonly conversation: Conversation
  readonly #context: ExchangeContext
  readonly #options: ExchangeOptions

  constructor(context: ExchangeContext, options: ExchangeOptions) {
    this.#context = context
    this.#options = options
    this.conversation = new Conversation(context, options)
  }

  start(): void {
    const { conversation } = this
    const isEqual = (partition: number) => this.#isEqual(partition)
    compareShared(conversation, isEqual, (differing) => this.#find(this.#inTurn(differing), []))
  }

  /** A partition at which exchanges end comes last, or those behind it would never be repaired. */
  #inTurn(differing: ReadonlyArray<PartitionSum>): ReadonlyArray<PartitionSum> {
    const isBehind = ({ partition }: PartitionSum) => partition > this.#options.endedAt
    return [...differing.filter(isBehind), ...differing.filter((it) => !isBehind(it))]
  }

  #isEqual(partition: number): void {
    this.#options.outcome({ partition, differences: 0, repaired: 0 })
  }

  /** Finds the versions that only one node has, partition by partition. */
  #find(left: ReadonlyArray<PartitionSum>, found: ReadonlyArray<Differing>): void {
    const [theirs, ...others] = left
    if (theirs === undefined) return this.#wait(found)
    const { partition } = theirs
    const { versions } = this.#context.replica
    if (versions.isWhole(partition) && this.#isEmpty(partition)) {
      return this.#find(others, [...found, { partition, found: undefined }])
    }
    findDifference(this.conversation, theirs, (difference) => {
      if (difference === undefined) {
        this.conversation.skip(1)
        return this.#find(others, found)
      }
      const isEqual = difference.theirs.size + difference.ours.size === 0
      if (isEqual) this.#isEqual(partition)
      this.#find(others, isEqual ? found : [...found, { partition, found: difference }])
    })
  }

  #isEmpty(partition: number): boolean {
    return sharedSum(this.conversation, partition).sum.count === 0
  }

  /** Writes that are under way arrive meanwhile. */
  #wait(found: ReadonlyArray<Differing>): void {
    if (found.length === 0) return this.conversation.end(undefined)
    this.conversation.after(this.#context.limits.differenceMillis, () => this.#repair(found))
  }

  #repair(left: ReadonlyArray<Differing>): void {
    const [differing, ...others] = left
    if (differing === undefined) return this.conversation.end(undefined)
    const { found, partition } = differing
    const { conversation } = this
    this.#options.repairs(partition)
    const { replica: { versions } } = this.#context
    const next = (differences: number, repaired: number) => {
      this.#options.outcome({ partition, differences, repaired })
      this.#repair(others)
    }
    if (found === undefined) {
      // Another node, or a client, has begun to fill it: the next exchange finds the rest.
      if (!this.#isEmpty(partition)) return next(0, 0)
      this.#context.runtime.mark("anti-entropy: an empty partition is filled")
      return fetchAll(conversation, partition, ({ taken }) => next(taken, taken))
    }
    const ours = heldOf(versions, partition, found.ours)
    const theirs = lackedOf(versions, partition, found.theirs)
    if (ours.length + theirs.length < 2 * (found.ours.size + found.theirs.size)) {
      this.#context.runtime.mark("anti-entropy: a difference ends by itself")
    }
    fetchVersions(conversation, { partition, versions: theirs }, ({ taken }) => {
      this.#offerEach(partition, ours, ({ lacking, stored }) => {
        next(theirs.length / 2 + lacking, taken + stored)
      })
    })
  }

  /** Sends the versions that the other node lacks. */
  #offerEach(
    partition: number,
    versions: Uint32Array,
    done: (offered: Offered) => void,
    before: Offered = { lacking: 0, stored: 0 }
  ): void {
    if (versions.length === 0) return done(before)
    const words = 2 * this.#context.limits.versionsInMessageMax
    const asked = { partition, versions: versions.slice(0, words) }
    this.conversation.ask({ kind: "Offer", ...asked }, (answer) => {
      if (answer.kind !== "Lacking") return this.conversation.end("an answer of another kind")
      const lacking = HashSet.of(answer.versions.slice())
      const next = (stored: number) => {
        this.#offerEach(partition, versions.slice(words), done, {
          lacking: before.lacking + answer.versions.length / 2,
          stored: before.stored + stored
        })
      }
      if (lacking.size === 0) return next(0)
      this.#push(partition, { lacking, after: undefined, stored: 0 }, next)
    })
  }

  #push(
    partition: number,
    { after, lacking, stored }: {
      readonly lacking: HashSet
      readonly after: RowKey | undefined
      readonly stored: number
    },
    done: (stored: number) => void
  ): void {
    const { conversation } = this
    const { bucket, peer } = this.#options
    const includes = sharedWith(this.#context, { peer, partition, bucket })
    conversation.within("the own rows are not read")
    gather(this.#context, { partition, includes, versions: lacking, after }, (gathered) => {
      if (conversation.isOver) return
      if (gathered === undefined) return conversation.end("the own rows cannot be read")
      const { documents, through } = gathered
      const next = (sent: number) => {
        const left = { lacking, after: through, stored: stored + sent }
        if (through !== undefined) return this.#push(partition, left, done)
        if (holdsAny(this.#context, partition, lacking)) this.#readAgain(partition)
        done(left.stored)
      }
      if (documents.length === 0) return next(0)
      conversation.ask({ kind: "Push", documents }, (answer) => {
        if (answer.kind !== "Pushed") return conversation.end("an answer of another kind")
        // The other node holds a later version, which this one would have fetched if it lacked it.
        if (answer.stored + answer.refused < documents.length) this.#readAgain(partition)
        conversation.moved(bytesIn(documents), () => next(answer.stored))
      })
    })
  }

  /**
   * The hashes tell of versions that no row holds: the disk has lost rows, or brought back earlier
   * ones, and later writes of the documents took the hashes of the lost ones for others'.
   */
  #readAgain(partition: number): void {
    const { replica: { versions }, runtime } = this.#context
    runtime.mark("anti-entropy: a comparison finds rows that the disk has changed")
    versions.forget(partition, true)
  }
}
