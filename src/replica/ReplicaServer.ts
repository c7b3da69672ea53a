/**
 * Answers requests of other nodes to this node's replica: store a document, fetch one, list keys.
 *
 * A node that does not know a bucket stores and serves its documents all the same; one that knows
 * it by another fingerprint refuses, because joining would mix two meanings.
 */
import type { Arrival } from "./Arrival.ts"
import { RecurringTexts } from "../core/codec/RecurringTexts.ts"
import type {
  DocumentName,
  Fetch,
  FetchAfter,
  Fetched,
  FetchSince,
  Handoff,
  List,
  PeerHandlers,
  PeerMessage,
  Store,
  StoreDelta
} from "../../schemas/PeerMessage.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { rowKeyOf } from "../core/ring/Partition.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { WorkQueue } from "../core/WorkQueue.ts"
import * as DeltaCodec from "../core/crdt/DeltaCodec.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { type HeldByRequests, withHeld } from "./HeldByRequests.ts"
import { findLiveKeys, type ScanLimits } from "./LiveKeys.ts"
import type { Owed } from "./Hints.ts"
import type { LocalRead } from "./LocalDocument.ts"
import { inWords, noWrites } from "./Refusal.ts"
import type { Replica } from "./Replica.ts"

const nothing: Uint8Array = new Uint8Array(0)

type AnyFetch = Fetch | FetchAfter | FetchSince

/** Where an arrival goes. */
interface To {
  readonly key: RowKey
  readonly fromMemory: boolean
  readonly owed: Owed | undefined
}

/** Request 0 asks for no answer. */
const refuse = (request: number, reason: string, reply: (message: PeerMessage) => void): void => {
  if (request !== 0) reply({ _tag: "Refused", request, reason })
}

export class ReplicaServer {
  readonly handlers: PeerHandlers<
    "Handoff" | "Store" | "StoreDelta" | "Fetch" | "FetchAfter" | "FetchSince" | "List"
  > = {
    Handoff: (message, _, reply) => this.#takeOver(message, reply),
    Store: (message, _, reply) => this.store(message, reply),
    StoreDelta: (message, _, reply) => this.store(message, reply),
    Fetch: (message, _, reply) => this.fetch(message, reply),
    FetchAfter: (message, _, reply) => this.fetch(message, reply),
    FetchSince: (message, _, reply) => this.fetch(message, reply),
    List: (message, _, reply) => this.list(message, reply)
  }
  readonly #replica: Replica
  readonly #buckets: Buckets
  readonly #partitionCount: number
  readonly #nowMillis: () => number
  readonly #completenessOf: (key: RowKey) => Completeness
  readonly #completeness: () => Completeness
  readonly #held: HeldByRequests
  readonly #work: WorkQueue
  readonly #limits: ScanLimits
  /** A message that names its operation has the actor twice: there, and in its document. */
  readonly #recurring: RecurringTexts

  constructor(
    options: {
      readonly replica: Replica
      readonly buckets: Buckets
      readonly partitionCount: number
      /** The time that the cluster agrees on, in milliseconds. */
      readonly nowMillis: () => number
      readonly completenessOf: (key: RowKey) => Completeness
      /** Of the replica, but for documents that are damaged, or were. */
      readonly completeness: () => Completeness
      /** Nothing unless given. */
      readonly held?: HeldByRequests
      /** In which listings take their turns. */
      readonly work: WorkQueue
      /** Of the messages that it takes; else it has its own. */
      readonly recurring?: RecurringTexts
      readonly limits: ScanLimits
    }
  ) {
    this.#replica = options.replica
    this.#buckets = options.buckets
    this.#partitionCount = options.partitionCount
    this.#nowMillis = options.nowMillis
    this.#completenessOf = options.completenessOf
    this.#completeness = options.completeness
    this.#held = options.held ?? (() => Document.empty)
    this.#work = options.work
    this.#recurring = options.recurring ?? new RecurringTexts()
    this.#limits = options.limits
  }

  /** Joins a document, or changes of it; says so at once, or, if asked to, when it is on disk. */
  store(message: Store | StoreDelta, reply: (message: PeerMessage) => void): void {
    const { request } = message
    const mismatch = this.#mismatch(message)
    if (mismatch !== undefined) return refuse(request, mismatch, reply)
    if (!this.#replica.writable()) return refuse(request, noWrites, reply)
    const key = this.#keyOf(message)
    const { fingerprint, hintFor } = message
    const owed = hintFor && { targets: [hintFor], fingerprint }
    const to = { key, fromMemory: !message.sync && request !== 0, owed }
    const arrival = message._tag === "Store"
      ? this.#read(message, to)
      : this.#readEdits(message, to)
    if (typeof arrival === "string") return refuse(request, arrival, reply)
    const joined = this.#replica.join(arrival, (failure) => {
      if (!message.sync || request === 0) return
      if (failure === undefined) {
        reply({ _tag: "Stored", request, durable: true, completeness: this.#completenessOf(key) })
      } else refuse(request, inWords(failure), reply)
    })
    if (joined._tag === "Refused") return refuse(request, joined.reason, reply)
    if (request === 0) return
    if (joined._tag === "NeedsBase") return reply({ ...joined, request })
    if (message.sync) return
    reply({ _tag: "Stored", request, durable: false, completeness: this.#completenessOf(key) })
  }

  /** Joins a document that another node kept for this one, and says so when it is on disk. */
  #takeOver(message: Handoff, reply: (message: PeerMessage) => void): void {
    const tell = (refusal: string) =>
      reply({ _tag: "HandedOff", request: message.request, refusal })
    const mismatch = this.#mismatch(message)
    if (mismatch !== undefined) return tell(mismatch)
    if (!this.#replica.writable()) return tell(noWrites)
    const to = { key: this.#keyOf(message), fromMemory: false, owed: undefined }
    const arrival = this.#read(message, to)
    if (typeof arrival === "string") return tell(arrival)
    const joined = this.#replica.join(
      arrival,
      (failure) => tell(failure === undefined ? "" : inWords(failure))
    )
    if (joined._tag === "Refused") tell(joined.reason)
  }

  /**
   * Sends the document that may be shown, or what the reader lacks of it, or only that it is the
   * same where the digest is; later, where a commit of it is under way.
   */
  fetch(message: AnyFetch, reply: (message: PeerMessage) => void): void {
    const { request } = message
    const after = message._tag === "Fetch" ? VersionVector.empty : message.after
    const mismatch = this.#mismatch(message)
    if (mismatch !== undefined) return reply({ _tag: "Refused", request, reason: mismatch })
    const key = this.#keyOf(message)
    const reading = { key, newest: this.#replica.read(key), after }
    this.#replica.show(
      reading,
      (shown) => this.#fetched({ asked: message, key }, withHeld(shown, reading, this.#held), reply)
    )
  }

  #fetched(
    { asked, key }: { readonly asked: AnyFetch; readonly key: RowKey },
    local: LocalRead,
    reply: (message: PeerMessage) => void
  ): void {
    const { digest, request } = asked
    const completeness = this.#completenessOf(key)
    const tell = (outcome: Fetched["outcome"], document = nothing) =>
      reply({ _tag: "Fetched", request, outcome, document, completeness })
    if (local._tag === "Absent") return tell("absent")
    if (local._tag === "Damaged") return tell("damaged")
    if (local.digest === digest) return tell("same")
    const { document } = local
    if (asked._tag === "FetchSince") {
      const edits = this.#replica.edits.since(key, document, asked.since)
      const { context } = document
      const found = { request, digest: local.digest, context, completeness }
      if (edits !== undefined) return reply({ _tag: "FetchedSince", ...found, edits })
    }
    tell("found", DocumentCodec.encode(document).bytes)
  }

  /** Names live keys of a bucket; fewer than the limit where there is much to look through. */
  list(message: List, reply: (message: PeerMessage) => void): void {
    const { request } = message
    const mismatch = this.#mismatch(message)
    if (mismatch !== undefined) return reply({ _tag: "Refused", request, reason: mismatch })
    const { bucket, limit } = message
    const partitionCount = this.#partitionCount
    const nowMillis = this.#nowMillis()
    const limits = this.#limits
    const asked = { bucket, limit, limits, partitionCount, nowMillis, after: message }
    const sources = { replica: this.#replica, work: this.#work }
    findLiveKeys(sources, { ...asked, completeness: this.#completeness() }, (listed) => {
      if (listed._tag === "Unlisted") {
        return reply({ _tag: "Refused", request, reason: listed.reason })
      }
      const { completeness, keys, through } = listed
      reply({ _tag: "Listed", request, keys, through, completeness })
    })
  }

  /** The document of a message, or why it is none of its bucket. */
  #read(
    { bucket, document: bytes, operation }: Pick<Store, "bucket" | "document" | "operation">,
    to: To
  ): Arrival | string {
    const kind = this.#buckets.get(bucket)?.strategy.kind
    try {
      const { digest, document } = DocumentCodec.decodeWithDigest(bytes, this.#recurring)
      const fits = kind === undefined || document.store === undefined
        || document.store.kind === kind
      return fits
        ? { ...to, document, encoded: { bytes, digest }, operation }
        : "a state of another kind of bucket"
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      return `not a document: ${error.message}`
    }
  }

  /** The changes of a message, or why they are none of its bucket. */
  #readEdits({ bucket, edits: bytes, operation }: StoreDelta, to: To): Arrival | string {
    const kind = this.#buckets.get(bucket)?.strategy.kind
    try {
      const edits = DeltaCodec.decode(bytes)
      const fits = kind === undefined
        || edits.every(({ deltas }) =>
          deltas.every(({ store }) => store === undefined || store.kind === kind)
        )
      // The bytes of the message are those of its frame, which is used again.
      return fits
        ? { ...to, edits, bytes: bytes.slice(), operation }
        : "a state of another kind of bucket"
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      return `not a change of a document: ${error.message}`
    }
  }

  #keyOf({ bucket, key }: DocumentName): RowKey {
    return rowKeyOf({ bucket, key, partitionCount: this.#partitionCount })
  }

  #mismatch(message: DocumentName): string | undefined {
    const known = this.#buckets.get(message.bucket)
    if (known === undefined || message.fingerprint === "") return undefined
    if (known.fingerprint === message.fingerprint) return undefined
    return `bucket ${message.bucket} is declared otherwise here: ${known.fingerprint}`
  }
}
