/**
 * Keeps one node's share of the data: answers reads, applies operations, joins documents that
 * others send. Every write into it is a join; nothing overwrites.
 *
 * A dot is made under an actor that this replica may continue: one of this incarnation, whose row
 * it still holds, intact and with the last dot made. Otherwise a new birth begins. When a commit
 * fails, a document made from it has already been sent, so the incarnation ends there and then.
 */
import type { Actor, Dot } from "../core/clock/Dot.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import type { Incarnation } from "../core/model/Incarnation.ts"
import type { OperationId } from "../core/operations/OperationId.ts"
import type { Trace } from "../core/operations/Proof.ts"
import { metadataBatch } from "../storage/Metadata.ts"
import type { OnCommit, RowKey, StorageFailure, StorageService } from "../storage/Storage.ts"
import { applyCalls } from "./AppliedCalls.ts"
import { type Arrival, joinArrival } from "./Arrival.ts"
import { Commits } from "./Commits.ts"
import { DocumentCache } from "./DocumentCache.ts"
import { DocumentGrowth } from "./DocumentGrowth.ts"
import { DotIssuer } from "./DotIssuer.ts"
import { documentOf, type FoundDocument, holds, type LocalRead } from "./LocalDocument.ts"
import { type Hint, Hints } from "./Hints.ts"
import { writeLostRows } from "./LostRows.ts"
import type { MendedDocuments } from "./MendedDocuments.ts"
import { OperationIndex } from "./OperationIndex.ts"
import { inWords } from "./Refusal.ts"
import * as RowCodec from "./RowCodec.ts"
import type { Reading, Show } from "./ShownVersions.ts"
import type { ReplicaOptions } from "./ReplicaOptions.ts"
import type { ReplicaStats } from "./ReplicaStats.ts"
import { TravellingEdits } from "./TravellingEdits.ts"
import type { Joined, Update, Updated } from "./Update.ts"
import type { VersionIndex } from "./VersionIndex.ts"
import type { Written } from "./Written.ts"

export type { StorageFailure }

export type { ReplicaOptions }
export type { Call, Joined, Update, Updated } from "./Update.ts"

export class Replica {
  readonly #options: ReplicaOptions
  readonly #cache: DocumentCache<FoundDocument>
  readonly #dots: DotIssuer
  readonly operations: OperationIndex
  readonly growth: DocumentGrowth
  /** The documents that are kept for other nodes. */
  readonly hints: Hints
  readonly edits: TravellingEdits
  readonly #commits: Commits
  #counts = {
    updates: 0,
    retries: 0,
    joins: 0,
    basesMissing: 0,
    damaged: 0,
    divergences: 0,
    conflicts: 0,
    discards: 0,
    incarnationsEnded: 0
  }

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.#dots = new DotIssuer(options)
    this.#cache = new DocumentCache(options.limits.cacheBytesMax)
    this.#commits = new Commits({
      ...options,
      failed: (incarnation) => this.#lost(incarnation),
      rowsChanged: (partition) => this.#writeLostRows(partition)
    })
    this.growth = new DocumentGrowth(options)
    this.hints = new Hints(options)
    this.edits = new TravellingEdits(options.limits)
    this.operations = new OperationIndex({ ...options, incarnation: () => this.incarnation() })
  }

  /** The documents for which this replica is incomplete. */
  get mended(): MendedDocuments {
    return this.#commits.mended
  }

  /** The hashes of the newest versions, by which replicas are compared. */
  get versions(): VersionIndex {
    return this.#commits.versions
  }

  incarnation(): Incarnation {
    return this.#dots.incarnation
  }

  /** Whether writes are worth trying. */
  writable(): boolean {
    return this.#commits.isDue
  }

  stats(): ReplicaStats {
    return {
      ...this.#counts,
      ...this.#commits.shown.stats(),
      ...this.#dots.counts,
      ...this.growth.stats(),
      ...this.edits.stats(),
      ...this.hints.stats(),
      cachedDocuments: this.#cache.size,
      cachedBytes: this.#cache.bytes
    }
  }

  /** Calls back with the version that readers may be shown, as soon as that is known. */
  show(reading: Reading, show: Show): void {
    // An incarnation that has forgotten dots of its own may forget others.
    if (this.#dots.hasForgotten(reading)) {
      this.#options.runtime.mark("replica: an incarnation ends with a lost row")
      this.#endIncarnation(this.#dots.incarnation)
    }
    this.#commits.shown.show(reading, show)
  }

  /** When readers find something in a document; its content is mostly not read for it. */
  liveness(key: RowKey): RowCodec.Liveness | "damaged" {
    const shown = this.#commits.shown.underWay(key)
    if (shown !== undefined) return RowCodec.livenessIn(shown)
    const stored = this.#options.storage.readHeader(key)
    if (stored._tag === "Absent") return "never"
    if (stored._tag === "Damaged") return RowCodec.livenessIn(this.#damaged(stored.detail))
    const told = RowCodec.headerLiveness(stored.document)
    if (told instanceof Malformed) return RowCodec.livenessIn(this.#damaged(told.message))
    return told ?? RowCodec.livenessIn(this.#stored(key))
  }

  /** The newest state, committed or not: for operations, which work on it, and not for readers. */
  read(key: RowKey): LocalRead {
    return this.#cache.get(key)
      ?? this.#stored(key, (held, bytes) => this.#cache.set(key, held, bytes))
  }

  #stored(key: RowKey, keep?: (held: FoundDocument, bytes: number) => void): LocalRead {
    const result = this.#options.storage.read(key)
    if (result._tag === "Absent") return result
    if (result._tag === "Damaged") return { ...result, ...this.#damaged(result.detail) }
    const held = RowCodec.decode(result.document)
    if (held instanceof Malformed) return this.#damaged(held.message)
    const { digest, document, own } = held
    const found = { _tag: "Found", document, digest, own } as const
    keep?.(found, RowCodec.bytesOf(result.document))
    return found
  }

  /** The memory of an operation on a document; undefined where there is none. */
  trace(key: RowKey, id: OperationId): Trace | undefined {
    const entry = this.operations.find(key, id)
    if (entry?._tag !== "Applied") return entry
    const { arrival, dot } = entry
    return { _tag: holds(documentOf(this.read(key)), dot) ? "Applied" : "Lost", arrival }
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
    const { id, key, owed } = update
    const local = this.read(key)
    const before = documentOf(local)
    const known = id === undefined ? undefined : this.operations.find(key, id)
    if (known?._tag === "Applied" && holds(before, known.dot)) {
      this.#markRetry(known.dot)
      this.#counts.retries++
      if (update.fromMemory === true) this.#commits.shown.acknowledge(key, local)
      this.#commits.await(this.#dots.incarnation, onCommit)
      const encoded = encode(before)
      const edit = this.edits.confirming(before, DocumentCodec.lengthOf(encoded))
      return { _tag: "Updated", document: before, encoded, edit, dot: known.dot, isRetry: true }
    }
    const detail = owed && this.hints.refusal(key, owed)
    if (detail !== undefined) return { _tag: "Unwritten", failure: { kind: "overloaded", detail } }
    const actor = this.#actorFor(key, local, update)
    const { limits: { counterUpdatesMax }, runtime, stampMillis } = this.#options
    const nowMillis = stampMillis()
    const nextDot = () => this.#dots.next(actor)
    const { calls, seen, stampSeen } = update
    const made = { calls, seen, stampSeen, counterUpdatesMax, nowMillis, nextDot }
    const applied = applyCalls(before, made)
    if (applied._tag !== "Applied") return applied
    const after = applied.document
    const encoded = encode(after)
    const excess = this.growth.excess(key, before, { document: after, encoded })
    if (excess !== undefined) return { _tag: "TooLarge", excess }
    if (applied.defers) runtime.mark("replica: a removal is deferred")
    const { fromMemory } = update
    const dot = { actor, counter: after.context.get(actor)! }
    const operation = id && { id, dot }
    const written = { key, before, after, encoded, own: actor, fromMemory, operation, owed }
    const documentBytes = DocumentCodec.lengthOf(encoded)
    const edit = this.edits.make(applied.deltas, { before, after, documentBytes })
    const failure = this.#write(written, local, onCommit)
    if (failure !== undefined) return { _tag: "Unwritten", failure }
    this.#dots.issued(key, actor, after)
    if (edit !== undefined) this.edits.keep(key, edit.bytes)
    this.#counts.updates++
    return { _tag: "Updated", document: after, encoded, edit, dot, isRetry: false }
  }

  /**
   * Joins what another replica sent; `onCommit` says later whether it is on this node's disk,
   * unless it is refused, or its base is missing.
   */
  join(arrival: Arrival, onCommit: OnCommit): Joined {
    const { fromMemory, key, operation, owed } = arrival
    const local = this.read(key)
    const before = documentOf(local)
    const onConflict = () => {
      this.#counts.conflicts++
      this.#options.onConflict?.(key)
    }
    const { runtime } = this.#options
    const result = joinArrival(local, arrival, { runtime, onConflict })
    if (result._tag === "NeedsBase") this.#counts.basesMissing++
    if (result._tag !== "Document") return result
    const { discards, document: after } = result
    const full = owed && this.hints.refusal(key, owed)
    if (full !== undefined) return { _tag: "Refused", reason: full }
    this.#counts.joins++
    if (discards) this.#counts.discards++
    const whole = "document" in arrival ? arrival : undefined
    if (local._tag === "Found" && RowCodec.contradicts(local, after, whole)) {
      this.#counts.divergences++
    }
    const isKnown = operation === undefined || this.operations.hasApplied(key, operation)
    if (after === before && isKnown && owed === undefined) {
      if (fromMemory === true) this.#commits.shown.acknowledge(key, local)
      this.#commits.await(this.#dots.incarnation, onCommit)
      return { _tag: "Joined" }
    }
    const own = local._tag === "Found" ? this.#dots.keptActor(key, local) : ""
    const encoded = (after === whole?.document ? whole.encoded : undefined) ?? encode(after)
    const fresh = isKnown ? undefined : operation
    const written = { key, before, after, encoded, own, fromMemory, operation: fresh, owed }
    const failure = this.#write(written, local, onCommit)
    if (failure !== undefined) return { _tag: "Refused", reason: inWords(failure) }
    if ("edits" in arrival) this.edits.keep(key, arrival.bytes)
    return { _tag: "Joined" }
  }

  /**
   * The actor for an update, whose dots are new to all that the document and the client have seen.
   * Where they are not, another process makes dots under this incarnation, which so ends.
   */
  #actorFor(key: RowKey, local: LocalRead, { seen }: Update): Actor {
    const actor = this.#dots.actorFor(key, local)
    if (this.#dots.isNew(actor, documentOf(local), seen?.vector)) return actor
    this.#endIncarnation(this.#dots.incarnation)
    return this.#dots.actorFor(key, local)
  }

  #markRetry({ actor }: Dot): void {
    const { node, runtime } = this.#options
    runtime.mark("replica: a retry is answered from its operation id")
    if (this.#dots.made(actor)) return
    if (actor.startsWith(`${node}.`)) runtime.mark("replica: a retry is answered after a restart")
    else runtime.mark("replica: a retry is answered that another node carried out")
  }

  #write(
    options: Written,
    local: LocalRead,
    onCommit: OnCommit
  ): StorageFailure | undefined {
    const { after: document, encoded, fromMemory, key, own, owed } = options
    const newest = { _tag: "Found", document, digest: encoded.digest, own } as const
    const change = RowCodec.change(options)
    const noted = options.operation && this.operations.applied(key, options.operation)
    const leaves = this.#dots.rowsWith(key, own, document)
    const others = noted?.rows ?? leaves
    const plain = noted !== undefined && leaves.length > 0 ? [...leaves, ...others] : others
    const debts = owed && this.hints.note(key, owed, DocumentCodec.lengthOf(encoded))
    const rows = debts === undefined ? plain : [...plain, ...debts.rows]
    const { incarnation } = this.#dots
    const commit = { key, before: local, newest, fromMemory, incarnation, change, rows, noted }
    const refusal = this.#commits.write(commit, debts?.ending(onCommit) ?? onCommit)
    if (refusal === undefined) this.#cache.set(key, newest, DocumentCodec.lengthOf(encoded))
    debts?.ended(refusal)
    return refusal
  }

  /** Ends a hint: its target has the document. `isDropped`: with the copy that was kept for it. */
  endHint(hint: Hint, end: { readonly isDropped: boolean }, onCommit: OnCommit): void {
    const before = this.read(hint.key)
    if (end.isDropped) this.#cache.delete(hint.key)
    const { incarnation } = this.#dots
    this.hints.end(hint, { ...end, before, incarnation, commits: this.#commits }, onCommit)
  }

  /** A commit failed of a write that was made under this incarnation. */
  #lost(incarnation: Incarnation): void {
    // Writes that storage hides now must not be found here.
    this.#cache.clear()
    this.edits.clear()
    if (!this.#endIncarnation(incarnation)) return
    this.#options.runtime.mark("replica: an incarnation ends with a failed commit")
  }

  #writeLostRows(partition: number): void {
    if (!this.writable()) return
    const join = (arrival: Arrival) => void this.join(arrival, () => {})
    const stored = (key: RowKey) => this.#stored(key)
    writeLostRows(partition, { cache: this.#cache, stored, join })
  }

  /** Has the next read of a document look at its row. */
  uncache(key: RowKey): void {
    this.#cache.delete(key)
  }

  /** Goes on as another incarnation, with what is on disk alone: commits may have been lost. */
  beginAgain(): void {
    this.#cache.clear()
    this.versions.forgetAll()
    this.#endIncarnation(this.#dots.incarnation)
  }

  /** Dots of this incarnation may be known that it does not hold; none is ever made again. */
  #endIncarnation(ended: Incarnation): boolean {
    if (this.#dots.incarnation !== ended) return false
    this.#dots.endIncarnation()
    this.#counts.incarnationsEnded++
    const { storage } = this.#options
    // A failure to record it is harmless: the next start draws a greater one by the clock.
    storage.write(metadataBatch("incarnation", this.#dots.incarnation), () => {})
    return true
  }

  #damaged(detail: string): Extract<LocalRead, { readonly _tag: "Damaged" }> {
    this.#counts.damaged++
    return { _tag: "Damaged", detail }
  }
}

const encode = (document: Document.Document) =>
  DocumentCodec.encode(document, { roomBefore: RowCodec.headerRoom })
