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
import type { OnCommit, RowKey, StorageFailure, StorageService } from "../storage/Storage.ts"
import { type CommitLimits, Commits } from "./Commits.ts"
import { DocumentCache } from "./DocumentCache.ts"
import { DotIssuer } from "./DotIssuer.ts"
import type { LocalRead } from "./LocalDocument.ts"
import type { MendedDocuments } from "./MendedDocuments.ts"
import type { ReplicaStats } from "./ReplicaStats.ts"
import * as RowCodec from "./RowCodec.ts"
import type { Reading, Show } from "./ShownVersions.ts"

export type { StorageFailure }

export interface ReplicaOptions {
  readonly runtime: Runtime
  readonly storage: StorageService
  readonly node: NodeId
  /** Drawn for this start, and already on disk. */
  readonly incarnation: Incarnation
  /** The time to stamp writes with, in milliseconds. */
  readonly stampMillis: () => number
  readonly limits:
    & CommitLimits
    & Pick<NodeLimits, "cacheBytesMax" | "counterUpdatesMax" | "lastIssuedDotsMax">
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
  /** Whether this replica acknowledges it before it is on disk: then readers see it at once. */
  readonly fromMemory?: boolean
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

export type Joined =
  | { readonly _tag: "Joined" }
  | { readonly _tag: "Refused"; readonly reason: string }

export class Replica {
  readonly #options: ReplicaOptions
  readonly #cache: DocumentCache
  readonly #dots: DotIssuer
  readonly #commits: Commits
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
    this.#commits = new Commits(options)
  }

  /** The documents for which this replica is incomplete. */
  get mended(): MendedDocuments {
    return this.#commits.mended
  }

  incarnation(): Incarnation {
    return this.#dots.incarnation
  }

  /** Whether writes are worth trying. */
  writable(): boolean {
    return this.#commits.isDue
  }

  stats(): ReplicaStats {
    return { ...this.#counts, ...this.#commits.shown.stats(), births: this.#dots.births }
  }

  /** Calls back with the version that readers may be shown, as soon as that is known. */
  show(reading: Reading, show: Show): void {
    // What this incarnation made, and no longer has, it may forget again.
    if (this.#dots.hasForgotten(reading)) {
      this.#options.runtime.mark("replica: an incarnation ends with a lost row")
      this.#endIncarnation(this.#dots.incarnation)
    }
    this.#commits.shown.show(reading, show)
  }

  /** The version that readers may be shown now. */
  shownNow(key: RowKey): LocalRead {
    return this.#commits.shown.now(key, this.read(key))
  }

  /** The newest state, committed or not: for operations, which work on it, and not for readers. */
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
    const { fromMemory } = update
    const change = { key, before, after, encoded, own: actor, fromMemory }
    const failure = this.#write(change, local, onCommit)
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
      /** Whether it is acknowledged before it is on disk: then readers see it at once. */
      readonly fromMemory?: boolean
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
      if (arrival.fromMemory === true) this.#commits.shown.acknowledge(key, local)
      this.#commits.await(this.#failing(), onCommit)
      return { _tag: "Joined" }
    }
    const own = local._tag === "Found" ? local.own : ""
    const encoded = (after === incoming ? arrival.encoded : undefined) ?? encode(after)
    const { fromMemory } = arrival
    const change = { key, before, after, encoded, own, fromMemory }
    const failure = this.#write(change, local, onCommit)
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
      readonly fromMemory: boolean | undefined
    },
    local: LocalRead,
    onCommit: OnCommit
  ): StorageFailure | undefined {
    const { after: document, encoded, fromMemory, key, own } = options
    const newest = { document, digest: encoded.digest, own }
    const change = RowCodec.change(options)
    const commit = { key, before: local, newest, fromMemory, change }
    const refusal = this.#commits.write(commit, this.#failing(), onCommit)
    if (refusal === undefined) this.#cache.set(key, newest, encoded.bytes.length)
    return refusal
  }

  /** What follows from the failure of a commit that begins now. */
  #failing(): () => void {
    const { incarnation } = this.#dots
    return () => {
      // Writes that storage hides now must not be found here.
      this.#cache.clear()
      if (!this.#endIncarnation(incarnation)) return
      this.#options.runtime.mark("replica: an incarnation ends with a failed commit")
    }
  }

  /** A document that failed to commit may have been sent; its dots must never be made again. */
  #endIncarnation(ended: Incarnation): boolean {
    if (this.#dots.incarnation !== ended) return false
    this.#dots.endIncarnation()
    this.#counts.incarnationsEnded++
    const { storage } = this.#options
    // A failure to record it is harmless: the next start draws a greater one by the clock.
    storage.write(metadataBatch("incarnation", this.#dots.incarnation), () => {})
    return true
  }

  #damaged(detail: string): LocalRead {
    this.#counts.damaged++
    return { _tag: "Damaged", detail }
  }
}

const otherKind = "a state of another kind is stored under this key"

const encode = (document: Document.Document) =>
  DocumentCodec.encode(document, { roomBefore: RowCodec.headerRoom })

const documentOf = (local: LocalRead): Document.Document =>
  local._tag === "Found" ? local.document : Document.empty
