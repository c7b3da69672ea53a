/**
 * Carries out one exchange with another node: compares the sums of all partitions that both hold,
 * finds the versions that only one of them has, and, where a difference lasts, has both nodes join
 * each other's documents. Nothing else is written: no clock counts on, and nothing is removed.
 */
import type { Compared, PartitionSum } from "../../schemas/AntiEntropyMessage.ts"
import { HashSet } from "../core/anti-entropy/HashSet.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { Comparison, type Found, those } from "./Comparison.ts"
import { Conversation } from "./Conversation.ts"
import {
  bytesIn,
  type ExchangeContext,
  gather,
  holdsAny,
  holdsShared,
  sharedPartitions,
  sharedWith
} from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"
import { fetchAll, type FetchOptions, fetchVersions } from "./Fetch.ts"

/** A partition that differs. */
interface Differing {
  readonly partition: number
  /** Undefined where this node has none of its documents, and fetches all. */
  readonly found: Found | undefined
}

/** What was joined, and what the other node lacked. */
interface Offered {
  readonly lacking: number
  readonly stored: number
}

export class Exchange {
  readonly conversation: Conversation
  readonly #context: ExchangeContext
  readonly #options: ExchangeOptions
  readonly #fetch: FetchOptions

  constructor(context: ExchangeContext, options: ExchangeOptions) {
    this.#context = context
    this.#options = options
    this.conversation = new Conversation(context, options)
    this.#fetch = { context, conversation: this.conversation, bucket: options.bucket }
  }

  start(): void {
    const { replica: { versions } } = this.#context
    const shared = sharedPartitions(this.#context, this.#options.peer)
      .filter((partition) => versions.isWhole(partition))
    this.#compare(shared, [])
  }

  #compare(left: ReadonlyArray<number>, differing: ReadonlyArray<PartitionSum>): void {
    if (left.length === 0) return this.#find(differing, [])
    const { limits: { partitionsInMessageMax }, replica: { versions } } = this.#context
    const { bucket, peer } = this.#options
    const partitions = left.slice(0, partitionsInMessageMax)
    const sums = partitions.map((partition) => ({
      partition,
      sum: versions.sum(partition, sharedWith(this.#context, { peer, partition, bucket }))
    }))
    this.conversation.compare(sums, (answer) => {
      this.#noteEqual(partitions, answer)
      const known = answer.differing.filter(({ partition }) => partitions.includes(partition))
      this.#compare(left.slice(partitions.length), [...differing, ...known])
    })
  }

  #noteEqual(partitions: ReadonlyArray<number>, { differing, unread }: Compared): void {
    const others = new Set([...differing.map(({ partition }) => partition), ...unread])
    for (const partition of partitions) {
      if (others.has(partition)) continue
      this.#options.outcome({ partition, differences: 0, repaired: 0 })
    }
  }

  /** Finds the versions that only one node has, partition by partition. */
  #find(left: ReadonlyArray<PartitionSum>, found: ReadonlyArray<Differing>): void {
    const [theirs, ...others] = left
    if (theirs === undefined) return this.#wait(found)
    const { limits, replica: { versions } } = this.#context
    const { bucket, peer } = this.#options
    const { partition } = theirs
    const includes = sharedWith(this.#context, { peer, partition, bucket })
    if (versions.isWhole(partition) && versions.sum(partition, includes).count === 0) {
      return this.#find(others, [...found, { partition, found: undefined }])
    }
    const { conversation } = this
    const asked = { versions, limits, includes, bucket, theirs, conversation }
    new Comparison(asked, (difference) => {
      if (difference !== undefined) {
        return this.#find(others, [...found, { partition, found: difference }])
      }
      this.#context.runtime.mark("anti-entropy: versions change while they are compared")
      this.#find(others, found)
    }).start()
  }

  /** Writes that are under way arrive meanwhile. */
  #wait(found: ReadonlyArray<Differing>): void {
    if (found.length === 0) return this.conversation.end(undefined)
    this.conversation.after(this.#context.limits.differenceMillis, () => this.#repair(found))
  }

  #repair(left: ReadonlyArray<Differing>): void {
    const [differing, ...others] = left
    if (differing === undefined) return this.conversation.end(undefined)
    const { partition } = differing
    const { bucket, peer } = this.#options
    const { replica: { versions } } = this.#context
    const next = (differences: number, repaired: number) => {
      this.#options.outcome({ partition, differences, repaired })
      this.#repair(others)
    }
    if (differing.found === undefined) {
      // Another node, or a client, has begun to fill it: the next exchange finds the rest.
      if (holdsShared(this.#context, { peer, partition, bucket })) return next(0, 0)
      this.#context.runtime.mark("anti-entropy: an empty partition is filled")
      return fetchAll(this.#fetch, partition, ({ taken }) => next(taken, taken))
    }
    const { found } = differing
    const ours = those(versions, partition, { of: found.ours, isHeld: true })
    const theirs = those(versions, partition, { of: found.theirs, isHeld: false })
    if (ours.length + theirs.length < 2 * (found.ours.size + found.theirs.size)) {
      this.#context.runtime.mark("anti-entropy: a difference ends by itself")
    }
    fetchVersions(this.#fetch, { partition, versions: theirs }, ({ taken }) => {
      this.#offerEach(partition, ours, ({ lacking, stored }) => {
        next((theirs.length + lacking) / 2, taken + stored)
      })
    })
  }

  /** Sends the versions that the other node lacks; `done` gets the words of their hashes. */
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
          lacking: before.lacking + answer.versions.length,
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
