/**
 * Keeps one node's share of the data: answers reads, applies operations, joins documents that
 * others send. Every write into it is a join; nothing overwrites.
 *
 * A dot is made under an actor that this replica may continue: one of this incarnation, whose row
 * it still holds, intact and with the last dot made. Otherwise a new birth begins. When a commit
 * fails, a document made from it has already been sent, so the incarnation ends there and then.
 */
import type { Actor } from "../core/clock/Dot.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import { invariant } from "../core/Invariant.ts"
import type { Incarnation } from "../core/model/Incarnation.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { OperationId } from "../core/operations/OperationId.ts"
import type { CausalContext } from "../core/clock/CausalContext.ts"
import type { Operation, Unchanged } from "../core/strategy/Strategy.ts"
import type { Runtime } from "../core/Runtime.ts"
import { metadataBatch } from "../storage/Metadata.ts"
import type {
  Change,
  OnCommit,
  RowKey,
  StorageFailure,
  StorageService
} from "../storage/Storage.ts"
import { DiskBreaker } from "./DiskBreaker.ts"
import { DocumentCache } from "./DocumentCache.ts"
import { DotIssuer } from "./DotIssuer.ts"
import type { LocalRead } from "./LocalDocument.ts"
import { MendedDocuments } from "./MendedDocuments.ts"
import * as RowCodec from "./RowCodec.ts"

export type { StorageFailure }

export interface ReplicaOptions {
  readonly runtime: Runtime
  readonly storage: StorageService
  readonly node: NodeId
  /** Drawn for this start, and already on disk. */
  readonly incarnation: Incarnation
  /** The time to stamp writes with, in milliseconds. */
  readonly stampMillis: () => number
  readonly limits: Pick<
    NodeLimits,
    | "cacheBytesMax"
    | "counterUpdatesMax"
    | "lastIssuedDotsMax"
    | "diskRetryMillis"
    | "mendedDocumentsMax"
  >
}

/** One operation of a request, with its arguments as JSON values. */
export interface Call {
  readonly operation: Operation
  readonly args: ReadonlyArray<unknown>
}

export interface Update {
  readonly key: RowKey
  readonly calls: ReadonlyArray<Call>
  readonly seen: CausalContext | undefined
  /** The greatest stamp that the client has seen. */
  readonly stampSeen: number
  readonly id: OperationId | undefined
}

export type Updated =
  /** `isRetry`: the operation had been applied before; nothing was changed now. */
  | {
    readonly _tag: "Updated"
    readonly document: Document.Document
    readonly encoded: DocumentCodec.EncodedDocument
    readonly isRetry: boolean
  }
  /** Nothing was applied: too much waits for the disk already. */
  | { readonly _tag: "Unwritten"; readonly failure: StorageFailure }
  | Unchanged

/** Numbers for metrics; each only grows. */
export interface ReplicaStats {
  readonly updates: number
  readonly retries: number
  readonly joins: number
  readonly damaged: number
  readonly births: number
  /** Equal contexts with unequal states: a broken promise somewhere, mended by joining. */
  readonly divergences: number
  /** Concurrent last writes of which one was lost here. */
  readonly discards: number
  readonly incarnationsEnded: number
}

export type Joined =
  | { readonly _tag: "Joined" }
  | { readonly _tag: "Refused"; readonly reason: string }

export class Replica {
  readonly #options: ReplicaOptions
  readonly #cache: DocumentCache
  readonly #dots: DotIssuer
  readonly #breaker: DiskBreaker
  /** The documents for which this replica is incomplete. */
  readonly mended: MendedDocuments
  #counts = {
    updates: 0,
    retries: 0,
    joins: 0,
    damaged: 0,
    divergences: 0,
    discards: 0,
    incarnationsEnded: 0
  }

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.#dots = new DotIssuer(options)
    this.#cache = new DocumentCache(options.limits.cacheBytesMax)
    this.#breaker = new DiskBreaker(options)
    this.mended = new MendedDocuments(options.storage, options.limits)
  }

  incarnation(): Incarnation {
    return this.#dots.incarnation
  }

  /** Whether writes are worth trying. */
  writable(): boolean {
    return this.#breaker.isDue
  }

  stats(): ReplicaStats {
    return { ...this.#counts, births: this.#dots.births }
  }

  /** The present state, committed or not. */
  read(key: RowKey): LocalRead {
    const cached = this.#cache.get(key)
    if (cached !== undefined) return { _tag: "Found", ...cached }
    const result = this.#options.storage.read(key)
    if (result._tag === "Absent") return result
    if (result._tag === "Damaged") return this.#damaged(result.detail)
    const held = RowCodec.decode(result.document)
    if (held instanceof Malformed) return this.#damaged(held.message)
    this.#cache.set(key, held, RowCodec.bytesOf(result.document))
    return { _tag: "Found", ...held }
  }

  /** Keys of a partition in order, of live and deleted documents. Throws `ScanFailed`. */
  scan(options: Parameters<StorageService["scan"]>[0]): ReadonlyArray<RowKey> {
    return this.#options.storage.scan(options)
  }

  /**
   * Applies operations, all or none. The result can be sent at once; `onCommit` says later
   * whether it reached this node's disk, unless nothing was updated.
   */
  update(update: Update, onCommit: OnCommit): Updated {
    const { key } = update
    invariant(update.calls.length > 0, "an update does something")
    const local = this.read(key)
    const before = documentOf(local)
    const actor = this.#dots.actorFor(key, local)
    const after = this.#applyAll(before, update, actor)
    if ("_tag" in after) return after
    const encoded = encode(after)
    const failure = this.#write({ key, before, after, encoded, own: actor }, local, onCommit)
    if (failure !== undefined) return { _tag: "Unwritten", failure }
    this.#dots.issued(key, actor, after)
    this.#counts.updates++
    return { _tag: "Updated", document: after, encoded, isRetry: false }
  }

  /**
   * Joins another replica's document into this one's; `onCommit` says later whether it is on this
   * node's disk, unless it is refused. `encoded` spares encoding it where that is known.
   */
  join(
    arrival: {
      readonly key: RowKey
      readonly document: Document.Document
      readonly encoded?: DocumentCodec.EncodedDocument
    },
    onCommit: OnCommit
  ): Joined {
    const { document: incoming, key } = arrival
    const local = this.read(key)
    const before = documentOf(local)
    if (!Document.canJoin(before, incoming)) {
      return { _tag: "Refused", reason: otherKind }
    }
    this.#counts.joins++
    const { runtime } = this.#options
    const after = Document.join(before, incoming)
    if (Document.discards(before, incoming)) {
      this.#counts.discards++
      runtime.mark("replica: one of two last writes is discarded")
    }
    if (after.deferred.length < before.deferred.length) runtime.mark("replica: a deferral ends")
    if (local._tag === "Damaged") runtime.mark("replica: a damaged row is mended by a join")
    if (local._tag === "Found" && RowCodec.contradicts(local, { ...arrival, joined: after })) {
      this.#counts.divergences++
    }
    if (after === before) {
      this.#awaitCommits(onCommit)
      return { _tag: "Joined" }
    }
    const own = local._tag === "Found" ? local.own : ""
    const encoded = (after === incoming ? arrival.encoded : undefined) ?? encode(after)
    const failure = this.#write({ key, before, after, encoded, own }, local, onCommit)
    if (failure === undefined) return { _tag: "Joined" }
    return { _tag: "Refused", reason: `${failure.kind}: ${failure.detail}` }
  }

  #applyAll(
    before: Document.Document,
    update: Update,
    actor: Actor
  ): Document.Document | Unchanged {
    const { limits: { counterUpdatesMax }, stampMillis, runtime } = this.#options
    const nowMillis = stampMillis()
    let document = before
    const { seen, stampSeen } = update
    for (const { args, operation } of update.calls) {
      const dot = this.#dots.next(actor)
      const made = { document, dot, nowMillis, seen, stampSeen, args, counterUpdatesMax }
      const mutated = operation.mutate(made)
      if (mutated._tag !== "Changed") return mutated
      if (!Document.canJoin(document, { ...Document.empty, store: mutated.delta.store })) {
        return { _tag: "InvalidArguments", path: "$", problem: otherKind }
      }
      if (mutated.delta.deferred.length > 0) runtime.mark("replica: a removal is deferred")
      document = Document.apply(document, mutated.delta)
    }
    return document
  }

  #write(
    options: {
      readonly key: RowKey
      readonly before: Document.Document
      readonly after: Document.Document
      readonly encoded: DocumentCodec.EncodedDocument
      readonly own: string
    },
    local: LocalRead,
    onCommit: OnCommit
  ): StorageFailure | undefined {
    const { incarnation } = this.#dots
    this.#breaker.begin()
    const { elementCount, elements, header } = RowCodec.change(options)
    const change = { key: options.key, header, elements, elementCount }
    // The rest of a damaged row is removed, or its elements would be counted with the new ones.
    const isMended = local._tag === "Damaged"
    const documents = isMended ? [removalOf(options.key), change] : [change]
    const rows = isMended ? [this.mended.add(options.key)] : noRows
    let refusal: StorageFailure | undefined
    let accepted = false
    this.#options.storage.write({ documents, rows }, (failure) => {
      // Before the call returns this means that nothing was accepted, and so nothing is lost.
      if (!accepted) refusal = failure
      else this.#committed(failure, incarnation, onCommit)
    })
    accepted = true
    if (refusal !== undefined) return refusal
    const { after: document, encoded, key, own } = options
    this.#cache.set(key, { document, digest: encoded.digest, own }, encoded.bytes.length)
    return undefined
  }

  #committed(
    failure: StorageFailure | undefined,
    incarnation: Incarnation,
    onCommit: OnCommit
  ): void {
    this.#breaker.end(failure)
    if (failure !== undefined) {
      // Writes that storage hides now must not be found here.
      this.#cache.clear()
      this.#endIncarnation(incarnation)
    }
    onCommit(failure)
  }

  /**
   * A document that was left unchanged may still be on its way to the disk. The barrier is set now:
   * by the end of the turn its commit may have failed, and no write would wait any more.
   */
  #awaitCommits(onCommit: OnCommit): void {
    const { storage, runtime } = this.#options
    const { incarnation } = this.#dots
    let isNow = true
    storage.barrier((failure) => {
      if (isNow) runtime.endOfTurn(() => onCommit(failure))
      // A group failed: all its writes are hidden now, whichever callback runs first.
      else if (failure !== undefined) this.#committed(failure, incarnation, onCommit)
      else onCommit(undefined)
    })
    isNow = false
  }

  /** A document that failed to commit may have been sent; its dots must never be made again. */
  #endIncarnation(failed: Incarnation): void {
    if (this.#dots.incarnation !== failed) return
    this.#dots.endIncarnation()
    this.#counts.incarnationsEnded++
    const { runtime, storage } = this.#options
    runtime.mark("replica: an incarnation ends with a failed commit")
    // A failure to record it is harmless: the next start draws a greater one by the clock.
    storage.write(metadataBatch("incarnation", this.#dots.incarnation), () => {})
  }

  #damaged(detail: string): LocalRead {
    this.#counts.damaged++
    return { _tag: "Damaged", detail }
  }
}

const noRows: ReadonlyArray<never> = []

const removalOf = (key: RowKey): Change => ({
  key,
  header: undefined,
  elements: [],
  elementCount: 0
})

const otherKind = "a state of another kind is stored under this key"

const encode = (document: Document.Document) =>
  DocumentCodec.encode(document, { roomBefore: RowCodec.headerRoom })

const documentOf = (local: LocalRead): Document.Document =>
  local._tag === "Found" ? local.document : Document.empty
