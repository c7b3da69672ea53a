/**
 * Lists one page of a bucket's keys: asks every member for its keys after a cursor, and merges
 * their answers up to where the first of them stopped looking, so that no page skips a key.
 *
 * A page counts as whole where, of each of its partitions, as many primaries have answered as a
 * read of one document asks by the bucket's default: a key that such a read would find is in it.
 * A primary that says that it is incomplete lends its keys, and does not count. Any other page is
 * an error, unless the request takes a partial one.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { KeyCursor, PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { isEncoded } from "../core/model/DocumentKey.ts"
import { decodeKey } from "../core/model/KeyFields.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as CollectDecision from "../core/quorum/CollectDecision.ts"
import { coverage } from "../core/quorum/Coverage.ts"
import * as Quorum from "../core/quorum/Quorum.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import { compareCursors, findLiveKeys, type KeysFound, startOf } from "../replica/LiveKeys.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { Gather } from "./Gather.ts"
import type { OpenRequest } from "./OpenRequest.ts"
import type { ListRequest } from "./Request.ts"

export interface ValidatedListing {
  readonly bucket: KnownBucket
  readonly after: KeyCursor
  readonly limit: number
  readonly timeoutMillis: number
  readonly partitionCount: number
  /** Primaries of each partition that must answer. */
  readonly needed: number
  /** Whether a page is welcome that lacks partitions. */
  readonly partial: boolean
}

type Found = Pick<KeysFound, "keys" | "through" | "completeness">

const asJson = Schema.decodeUnknownOption(Schema.Json)
const cursorVersion = 1

/** A cursor as the opaque text that clients bring back. */
export const encodeCursor = ({ key, partition }: KeyCursor): string => {
  const writer = new ByteWriter(64).byte(cursorVersion).varint(partition)
  return Buffer.from(writer.text(key.partition).text(key.sort).finish()).toString("base64url")
}

/** The key of a cursor; undefined where the text is none. */
export const decodeCursor = (cursor: string): KeyCursor | undefined => {
  const reader = new ByteReader(Buffer.from(cursor, "base64url"))
  try {
    if (reader.byte() !== cursorVersion) return undefined
    const partition = reader.varint()
    const key = { partition: reader.text(), sort: reader.text() }
    reader.end()
    return isEncoded(key.partition) && isEncoded(key.sort) ? { partition, key } : undefined
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}

export const validateListing = (
  request: ListRequest,
  options: {
    readonly buckets: ReadonlyMap<string, KnownBucket>
    readonly readTimeoutMillis: number
    readonly pageKeys: number
    readonly partitionCount: number
  }
): ValidatedListing | Errors.StoreError => {
  const bucket = options.buckets.get(request.bucket)
  if (bucket === undefined) return new Errors.UnknownBucket({ bucket: request.bucket })
  const after = request.after === undefined ? startOf(0) : decodeCursor(request.after)
  if (after === undefined) {
    const expected = "the `next` of a page"
    return new Errors.InvalidRequest({ setting: "after", value: request.after ?? "", expected })
  }
  const { limit = options.pageKeys, timeoutMillis = options.readTimeoutMillis } = request
  const { defaults, n } = bucket.definition
  const needs = Quorum.resolveRead({ n, bucket: defaults, request: {} })
  if (needs._tag === "Unmeetable") {
    const { expected, setting, value } = needs
    return new Errors.InvalidRequest({ setting, value: String(value), expected })
  }
  return {
    bucket,
    after,
    limit,
    timeoutMillis,
    partitionCount: options.partitionCount,
    needed: needs.r,
    partial: request.partial ?? false
  }
}

export class Listing
  extends Gather<CollectDecision.CollectDecision<Found>, CollectDecision.CollectEvent<Found>>
{
  readonly #listing: ValidatedListing
  readonly #open: OpenRequest<KeyPage>

  constructor(
    context: CoordinatorContext,
    listing: ValidatedListing,
    open: OpenRequest<KeyPage>
  ) {
    super(context, {
      rules: CollectDecision,
      decision: CollectDecision.make(context.view.members().map(({ id }) => id)),
      deadline: open.deadline(listing.timeoutMillis),
      serves: open
    })
    this.#listing = listing
    this.#open = open
  }

  start(): void {
    const { limits, node, view } = this.context
    const completeness = this.context.completeness()
    this.ask()
    const bucket = this.#listing.bucket.definition.name
    const nowMillis = view.agreedNow()
    const asked = { ...this.#listing, bucket, nowMillis, completeness, limits }
    findLiveKeys(this.context, asked, (own) => {
      if (own._tag === "KeysFound") this.step({ _tag: "Answered", node, answer: own })
      else this.step({ _tag: "Refused", node, reason: own.reason })
    })
  }

  message(): PeerMessage {
    const { after, bucket, limit } = this.#listing
    return {
      _tag: "List",
      request: this.number,
      bucket: bucket.definition.name,
      fingerprint: bucket.fingerprint,
      ...after,
      limit
    }
  }

  hear(node: NodeId, message: PeerMessage): void {
    if (message._tag === "Listed") this.step({ _tag: "Answered", node, answer: message })
    else if (message._tag === "Refused") {
      this.step({ _tag: "Refused", node, reason: message.reason })
    }
  }

  tell(): void {
    this.#open.answer(this.#page())
  }

  #page(): KeyPage | Errors.StoreError {
    const { answers, refusals } = this.decision
    const { after, bucket: { definition }, limit, partial, partitionCount } = this.#listing
    const found = [...answers.values()]
    const through = found.map((listed) => listed.through).sort(compareCursors)[0]
      ?? startOf(partitionCount)
    const keys = mergeKeys(found, through)
    const page = keys.slice(0, limit)
    // Keys cut off here come with the next page, as do those behind `through`.
    const next = keys.length > limit ? page.at(-1)! : through
    const unanswered = {
      unreachable: CollectDecision.awaited(this.decision),
      refused: Array.from(refusals, ([node, reason]) => ({ node, reason }))
    }
    const covered = this.#coverage(after.partition, next.partition)
    const isWhole = covered.reached === covered.partitions
    if (!isWhole && (!partial || found.length === 0)) {
      const bucket = definition.name
      const incomplete = [...answers.keys()].filter((node) => !this.#counts(node))
      const named = incomplete.length === 0 ? {} : { incomplete }
      return new Errors.ListingIncomplete({ bucket, ...covered, ...unanswered, ...named })
    }
    return {
      // A key stored under another declaration of the key is none of this bucket.
      keys: page.flatMap(({ key }) => Option.toArray(asJson(decodeKey(definition.key, key)))),
      ...(next.partition < partitionCount ? { next: encodeCursor(next) } : {}),
      ...(isWhole ? {} : { partial: true }),
      ...unanswered
    }
  }

  /** Of the partitions from `first` to `last`, which may be behind the end. */
  #coverage(first: number, last: number) {
    const { bucket: { definition: { n } }, needed, partitionCount } = this.#listing
    const { view } = this.context
    return coverage({
      first,
      last: Math.min(last, partitionCount - 1),
      needed,
      primariesOf: (partition) => view.placement(partition, n).primaries,
      hasAnswered: (node) => this.#counts(node)
    })
  }

  /** Whether the node has answered, and its keys are all that it ever held. */
  #counts(node: NodeId): boolean {
    const answer = this.decision.answers.get(node)
    return answer !== undefined && answer.completeness !== "incomplete"
  }
}

/** Each key up to `through` once, in order. */
const mergeKeys = (found: ReadonlyArray<Found>, through: KeyCursor): ReadonlyArray<KeyCursor> =>
  found
    .flatMap(({ keys }) => keys)
    .filter((cursor) => compareCursors(cursor, through) <= 0)
    .sort(compareCursors)
    .filter((cursor, i, all) => i === 0 || compareCursors(all[i - 1]!, cursor) !== 0)
