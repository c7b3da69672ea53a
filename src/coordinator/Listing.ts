/**
 * Lists one page of a bucket's keys: asks every member which it holds after a place, and merges
 * their answers up to where the first of them stopped looking, so that no page skips a key.
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
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import { comparePlaces, type KeysFound, liveKeys, startOf } from "../replica/LiveKeys.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { Waiting } from "../transport/InFlightRequests.ts"
import type { ListRequest } from "./Request.ts"

export interface ValidatedListing {
  readonly bucket: KnownBucket
  readonly after: KeyCursor
  readonly limit: number
  readonly timeoutMillis: number
}

export interface ListingOptions {
  readonly parts: CoordinatorContext
  readonly plan: ValidatedListing
  readonly partitionCount: number
  readonly number: number
  readonly respond: (outcome: KeyPage | Errors.StoreError) => void
  /** Called once, when nothing more is expected. */
  readonly finished: () => void
}

type Found = Pick<KeysFound, "places" | "through">

const asJson = Schema.decodeUnknownOption(Schema.Json)
const limitDefault = 100
const cursorVersion = 1

/** A place as the opaque text that clients hand back. */
export const encodeCursor = ({ key, partition }: KeyCursor): string => {
  const writer = new ByteWriter(64).byte(cursorVersion).varint(partition)
  return Buffer.from(writer.text(key.partition).text(key.sort).finish()).toString("base64url")
}

/** The place of a cursor; undefined where the text is none. */
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
  }
): ValidatedListing | Errors.StoreError => {
  const bucket = options.buckets.get(request.bucket)
  if (bucket === undefined) return new Errors.UnknownBucket({ bucket: request.bucket })
  const after = request.after === undefined ? startOf(0) : decodeCursor(request.after)
  if (after === undefined) {
    const expected = "the `next` of a page"
    return new Errors.InvalidRequest({ setting: "after", value: request.after ?? "", expected })
  }
  const { limit = limitDefault, timeoutMillis = options.readTimeoutMillis } = request
  return { bucket, after, limit, timeoutMillis }
}

export class Listing implements Waiting {
  readonly deadline: number
  readonly #options: ListingOptions
  readonly #members: ReadonlyArray<NodeId>
  readonly #found = new Map<NodeId, Found>()
  readonly #refused = new Map<NodeId, string>()
  #finished = false

  constructor(options: ListingOptions) {
    const { parts, plan } = options
    this.#options = options
    this.#members = parts.view.members().map(({ id }) => id)
    this.deadline = parts.runtime.elapsed() + plan.timeoutMillis
  }

  start(): void {
    const { partitionCount, parts, plan } = this.#options
    this.resend()
    const bucket = plan.bucket.definition.name
    const own = liveKeys(parts.replica, { ...plan, bucket, partitionCount })
    if (own._tag === "KeysFound") this.#found.set(parts.node, own)
    else this.#refused.set(parts.node, own.reason)
    this.#settle()
  }

  resend(): void {
    const { number, parts, plan } = this.#options
    const { after, bucket, limit } = plan
    for (const node of this.#unheard()) {
      if (node === parts.node) continue
      parts.send(node, {
        _tag: "List",
        request: number,
        bucket: bucket.definition.name,
        fingerprint: bucket.fingerprint,
        ...after,
        limit
      })
    }
  }

  expire(): void {
    this.#finish()
  }

  hear(from: NodeId, message: PeerMessage): void {
    if (!this.#members.includes(from)) return
    if (message._tag === "Listed") this.#found.set(from, message)
    else if (message._tag === "Refused") this.#refused.set(from, message.reason)
    this.#settle()
  }

  #unheard(): ReadonlyArray<NodeId> {
    return this.#members.filter((node) => !this.#found.has(node) && !this.#refused.has(node))
  }

  #settle(): void {
    if (this.#unheard().length === 0) this.#finish()
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#options.finished()
    this.#options.respond(this.#page())
  }

  #page(): KeyPage | Errors.StoreError {
    const unreachable = this.#unheard()
    const refused = Array.from(this.#refused, ([node, reason]) => ({ node, reason }))
    const found = [...this.#found.values()]
    const through = found.map((listed) => listed.through).sort(comparePlaces)[0]
    if (through === undefined) {
      return new Errors.QuorumNotMet({
        action: "read",
        needed: { r: 1 },
        had: { r: 0 },
        unreachable,
        refused,
        mayHaveApplied: false
      })
    }
    const { partitionCount, plan } = this.#options
    const { definition } = plan.bucket
    const places = mergePlaces(found, through)
    const page = places.slice(0, plan.limit)
    // What was cut off comes with the next page, as does what lies behind `through`.
    const next = places.length > plan.limit ? page.at(-1)! : through
    return {
      // What was stored under another declaration of the key is no key of this bucket.
      keys: page.flatMap(({ key }) => Option.toArray(asJson(decodeKey(definition.key, key)))),
      ...(next.partition < partitionCount ? { next: encodeCursor(next) } : {}),
      unreachable,
      refused
    }
  }
}

/** Each place up to `through` once, in order. */
const mergePlaces = (found: ReadonlyArray<Found>, through: KeyCursor): ReadonlyArray<KeyCursor> =>
  found
    .flatMap(({ places }) => places)
    .filter((place) => comparePlaces(place, through) <= 0)
    .sort(comparePlaces)
    .filter((place, i, all) => i === 0 || comparePlaces(all[i - 1]!, place) !== 0)
