/**
 * Carries out one exchange with another node: compares the sums of all partitions that both hold,
 * finds the versions that only one of them has, and, where a difference lasts, has both nodes join
 * each other's documents. Nothing else is written: no clock counts on, and nothing is removed.
 *
 * It asks one question at a time, and sends the next documents when the last ones are on disk.
 */
import type {
  AntiEntropyBody,
  Compared,
  PartitionSum,
  Pull,
  RowCursor
} from "../../schemas/AntiEntropyMessage.ts"
import { HashSet } from "../core/anti-entropy/HashSet.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Cancel } from "../core/Runtime.ts"
import { askKept } from "./AskKept.ts"
import { type Ask, Comparison, type Found, lasting } from "./Comparison.ts"
import {
  bytesIn,
  type ExchangeContext,
  gather,
  holdsAny,
  holdsShared,
  sharedPartitions,
  sharedWith,
  storeAll
} from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"

/** A partition that differs. */
interface Differing {
  readonly partition: number
  /** Undefined where this node has none of its documents, and fetches all. */
  readonly found: Found | undefined
}

export class Exchange {
  readonly #context: ExchangeContext
  readonly #options: ExchangeOptions
  #waiting:
    | { readonly request: number; readonly answered: (body: AntiEntropyBody) => void }
    | undefined
  #cancel: Cancel = () => {}
  #isOver = false
  #repaired = 0
  #refused = 0
  readonly #ask: Ask = (body, answered) => this.#send(body, answered)

  constructor(context: ExchangeContext, options: ExchangeOptions) {
    this.#context = context
    this.#options = options
  }

  /** Whether the documents of all buckets are compared. */
  get isOfAll(): boolean {
    return this.#options.bucket === ""
  }

  start(): void {
    const { filling, peer } = this.#options
    if (filling?.isToAsk(peer) !== true) return this.#begin()
    askKept({
      context: this.#context,
      peer,
      ask: this.#ask,
      pullAll: (partition, done) => this.#pullAll(partition, done),
      end: (failure) => this.#end(failure)
    }, () => {
      filling.kept(peer)
      this.#begin()
    })
  }

  #begin(): void {
    const { limits: { partitionsInMessageMax }, replica: { versions } } = this.#context
    const shared = sharedPartitions(this.#context, this.#options.peer)
      .filter((partition) => versions.isWhole(partition))
    this.#compare(shared, partitionsInMessageMax, [])
  }

  /** Takes an answer of the other node; one to an earlier question is passed over. */
  answered(request: number, body: AntiEntropyBody): void {
    const waiting = this.#waiting
    if (waiting?.request !== request) return
    this.#waiting = undefined
    this.#cancel()
    waiting.answered(body)
  }

  /** Ends it at once. */
  abandon(reason: string): void {
    this.#end(reason)
  }

  #end(failure: string | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    this.#waiting = undefined
    this.#options.done(failure)
  }

  #send(body: AntiEntropyBody, answered: (answer: AntiEntropyBody) => void): void {
    const request = this.#options.number()
    this.#waiting = { request, answered }
    this.#within("the other node does not answer")
    this.#context.send(this.#options.peer, { _tag: "AntiEntropy", request, body })
  }

  /** Ends the exchange with this reason unless it is withdrawn in time. */
  #within(reason: string): void {
    const { limits: { exchangeAnswerMillis }, runtime } = this.#context
    this.#cancel()
    this.#cancel = runtime.after(exchangeAnswerMillis, () => this.#end(reason))
  }

  #after(millis: number, task: () => void): void {
    this.#cancel()
    this.#cancel = this.#context.runtime.after(millis, task)
  }

  #compare(
    left: ReadonlyArray<number>,
    count: number,
    differing: ReadonlyArray<PartitionSum>
  ): void {
    if (left.length === 0) return this.#find(differing, [])
    const { hashKeyId, replica: { versions }, view } = this.#context
    const { bucket, peer } = this.#options
    const partitions = left.slice(0, count)
    const sums = partitions.map((partition) => ({
      partition,
      sum: versions.sum(partition, sharedWith(this.#context, { peer, partition, bucket }))
    }))
    const asked = { bucket, ring: view.ring.digest, hashKey: hashKeyId, sums }
    this.#send({ kind: "Compare", ...asked }, (answer) => {
      if (answer.kind !== "Compared") return this.#end("an answer of another kind")
      if (answer.outcome !== "compared") return this.#end(`not compared: ${answer.outcome}`)
      this.#options.filling?.told(peer, answer.completeness)
      this.#noteEqual(partitions, answer)
      const known = answer.differing.filter(({ partition }) => partitions.includes(partition))
      this.#compare(left.slice(count), count, [...differing, ...known])
    })
  }

  #noteEqual(partitions: ReadonlyArray<number>, { differing, unread }: Compared): void {
    const others = new Set([...differing.map(({ partition }) => partition), ...unread])
    for (const partition of partitions) {
      if (others.has(partition)) continue
      this.#options.filling?.received(partition, this.#options.peer)
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
    const asked = { versions, limits, includes, bucket, theirs, ask: this.#ask }
    new Comparison(asked, (difference) => {
      if (difference === undefined) {
        this.#context.runtime.mark("anti-entropy: versions change while they are compared")
        const all = this.#isFilling() ? [{ partition, found: undefined }] : []
        return this.#find(others, [...found, ...all])
      }
      this.#find(others, [...found, { partition, found: difference }])
    }).start()
  }

  /** Writes that are under way arrive meanwhile. */
  #wait(found: ReadonlyArray<Differing>): void {
    if (found.length === 0) return this.#end(undefined)
    this.#after(this.#context.limits.differenceMillis, () => this.#repair(found))
  }

  #repair(left: ReadonlyArray<Differing>): void {
    const [differing, ...others] = left
    if (differing === undefined) return this.#end(undefined)
    const { partition } = differing
    const { bucket, peer } = this.#options
    const { replica: { versions } } = this.#context
    this.#repaired = 0
    const next = (differences: number) => {
      this.#options.outcome({ partition, differences, repaired: this.#repaired })
      this.#repair(others)
    }
    if (differing.found === undefined) {
      // Another node, or a client, has begun to fill it: the next exchange finds the rest.
      if (!this.#isFilling() && holdsShared(this.#context, { peer, partition, bucket })) {
        return next(0)
      }
      this.#context.runtime.mark("anti-entropy: an empty partition is filled")
      return this.#receiveAll(partition, () => next(this.#repaired))
    }
    const { ours, theirs } = lasting(versions, partition, differing.found)
    if (
      ours.length + theirs.length < 2 * (differing.found.ours.size + differing.found.theirs.size)
    ) {
      this.#context.runtime.mark("anti-entropy: a difference ends by itself")
    }
    this.#pullEach(partition, theirs, () => {
      this.#fill(partition, differing.found?.theirs, () => {
        this.#offerEach(partition, ours, (lacking) => next((theirs.length + lacking) / 2))
      })
    })
  }

  /** Whether this node needs all that the other has, also where it changes meanwhile. */
  readonly #isFilling = (): boolean => this.#options.filling?.isOn() === true

  /**
   * Fetches everything where a version that the other had is not here now: a document that changed
   * meanwhile may have been at the other alone, and its change may be lost on its way here.
   */
  #fill(partition: number, theirs: HashSet | undefined, done: () => void): void {
    if (!this.#isFilling() || theirs === undefined) return done()
    const { replica: { versions } } = this.#context
    let isHere = true
    theirs.each((high, low) => isHere &&= versions.has(partition, high, low))
    if (!isHere) {
      this.#context.runtime.mark("anti-entropy: a version changes before it has come")
      return this.#receiveAll(partition, done)
    }
    this.#options.filling?.received(partition, this.#options.peer)
    done()
  }

  #receiveAll(partition: number, done: () => void): void {
    this.#pullAll(partition, (isAll) => {
      if (isAll) this.#options.filling?.received(partition, this.#options.peer)
      done()
    })
  }

  /** Fetches every document of a partition. */
  #pullAll(partition: number, done: (isAll: boolean) => void): void {
    this.#refused = 0
    const all = { partition, versions: new Uint32Array(0) }
    this.#pull(all, undefined, () => done(this.#refused === 0))
  }

  /** Fetches versions that the other node has, some in each message. */
  #pullEach(partition: number, versions: Uint32Array, done: () => void): void {
    if (versions.length === 0) return done()
    const words = 2 * this.#context.limits.versionsInMessageMax
    this.#pull({ partition, versions: versions.slice(0, words) }, undefined, () => {
      this.#pullEach(partition, versions.slice(words), done)
    })
  }

  #pull(
    asked: Pick<Pull, "partition" | "versions">,
    after: RowCursor | undefined,
    done: () => void
  ): void {
    this.#send({ kind: "Pull", bucket: this.#options.bucket, ...asked, after }, (answer) => {
      if (answer.kind !== "Pulled") return this.#end("an answer of another kind")
      const { documents, through } = answer
      const bytes = bytesIn(documents)
      this.#within("the own disk does not answer")
      storeAll(this.#context, documents, (taken, refused) => {
        if (this.#isOver) return
        this.#refused += refused
        this.#moved(taken, bytes, () => {
          if (through === undefined) done()
          else this.#pull(asked, through, done)
        })
      })
    })
  }

  /** Sends the versions that the other node lacks; `done` gets the words of their hashes. */
  #offerEach(
    partition: number,
    versions: Uint32Array,
    done: (lacking: number) => void,
    before = 0
  ): void {
    if (versions.length === 0) return done(before)
    const words = 2 * this.#context.limits.versionsInMessageMax
    this.#send({ kind: "Offer", partition, versions: versions.slice(0, words) }, (answer) => {
      if (answer.kind !== "Lacking") return this.#end("an answer of another kind")
      const lacking = HashSet.of(answer.versions.slice())
      const next = () => {
        this.#offerEach(partition, versions.slice(words), done, before + answer.versions.length)
      }
      if (lacking.size === 0) return next()
      this.#push(partition, { lacking, after: undefined }, next)
    })
  }

  #push(
    partition: number,
    { after, lacking }: { readonly lacking: HashSet; readonly after: RowKey | undefined },
    done: () => void
  ): void {
    const { bucket, peer } = this.#options
    const includes = sharedWith(this.#context, { peer, partition, bucket })
    this.#within("the own rows are not read")
    gather(this.#context, { partition, includes, versions: lacking, after }, (gathered) => {
      if (this.#isOver) return
      if (gathered === undefined) return this.#end("the own rows cannot be read")
      const { documents, through } = gathered
      const next = () => {
        if (through !== undefined) return this.#push(partition, { lacking, after: through }, done)
        if (holdsAny(this.#context, partition, lacking)) this.#readAgain(partition)
        done()
      }
      if (documents.length === 0) return next()
      this.#send({ kind: "Push", documents }, (answer) => {
        if (answer.kind !== "Pushed") return this.#end("an answer of another kind")
        // The other node holds a later version, which this one would have fetched if it lacked it.
        if (answer.stored + answer.refused < documents.length) this.#readAgain(partition)
        this.#moved(answer.stored, bytesIn(documents), next)
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

  /** Goes on when the bytes that were moved fit the rate. */
  #moved(documents: number, bytes: number, next: () => void): void {
    this.#repaired += documents
    this.#options.moved(bytes)
    const { background, limits: { repairBytesPerSecond }, runtime } = this.#context
    const millis = background.pauseMillis(bytes, repairBytesPerSecond, runtime.elapsed())
    if (millis < 1) {
      this.#cancel()
      return next()
    }
    this.#after(millis, next)
  }
}
