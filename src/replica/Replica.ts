/**
 * Keeps one node's share of the data: answers what it holds, applies operations, joins what others
 * send. Every write into it is a join; nothing overwrites.
 *
 * A dot is made under an actor that this replica may continue: one of this incarnation, whose row
 * it still holds, intact and with the last dot made. Otherwise a new birth begins. When a commit
 * fails, what was made from it has already been sent, so the incarnation ends there and then.
 */
import * as Dot from "../core/clock/Dot.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import { invariant } from "../core/Invariant.ts"
import * as Incarnation from "../core/model/Incarnation.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { CausalContext } from "../core/clock/CausalContext.ts"
import type { Operation, Refusal } from "../core/strategy/Strategy.ts"
import type { Runtime } from "../core/Runtime.ts"
import { metadataBatch } from "../storage/Metadata.ts"
import type { RowKey, StorageFailure, StorageService } from "../storage/Storage.ts"
import { DiskBreaker } from "./DiskBreaker.ts"
import { DocumentCache } from "./DocumentCache.ts"
import { LastIssuedDots } from "./LastIssuedDots.ts"
import * as Row from "./RowCodec.ts"

export type { StorageFailure }

export interface ReplicaOptions {
  readonly runtime: Runtime
  readonly storage: StorageService
  readonly node: NodeId
  /** Drawn for this start, and already on disk. */
  readonly incarnation: Incarnation.Incarnation
  /** The time to stamp writes with, in milliseconds. */
  readonly stampMillis: () => number
  /** Of documents kept decoded, by their encoded size. */
  readonly cacheBytesMax: number
}

/** What this replica holds under a key; a damaged row counts as missing, but is known to be. */
export type LocalRead =
  | ({ readonly _tag: "Found" } & Row.LocalDocument)
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Damaged"; readonly detail: string }

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
  readonly id: Document.OperationId | undefined
}

/** Called once: nothing when the change is on disk, else why it is not. */
export type Settled = (failure: StorageFailure | undefined) => void

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
  | Refusal

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
  readonly #lastIssued = new LastIssuedDots()
  readonly #breaker: DiskBreaker
  #incarnation: Incarnation.Incarnation
  /** Births and counters of this incarnation; never issued twice. */
  #issued = 0
  #counts = {
    updates: 0,
    retries: 0,
    joins: 0,
    damaged: 0,
    births: 0,
    divergences: 0,
    discards: 0,
    incarnationsEnded: 0
  }

  constructor(options: ReplicaOptions) {
    this.#options = options
    this.#incarnation = options.incarnation
    this.#cache = new DocumentCache(options.cacheBytesMax)
    this.#breaker = new DiskBreaker(options)
  }

  incarnation(): Incarnation.Incarnation {
    return this.#incarnation
  }

  /** Whether writes are worth trying. */
  writable(): boolean {
    return this.#breaker.isDue
  }

  stats(): ReplicaStats {
    return { ...this.#counts }
  }

  /** What is held now, committed or not. */
  read(key: RowKey): LocalRead {
    const cached = this.#cache.get(key)
    if (cached !== undefined) return { _tag: "Found", ...cached }
    const result = this.#options.storage.read(key)
    if (result._tag === "Absent") return result
    if (result._tag === "Damaged") return this.#damaged(result.detail)
    const held = Row.decode(result.document)
    if (held instanceof Malformed) return this.#damaged(held.message)
    this.#cache.set(key, held, Row.bytesOf(result.document))
    return { _tag: "Found", ...held }
  }

  /** Keys of a partition in order, whatever is under them. Throws `ScanFailed`. */
  scan(options: Parameters<StorageService["scan"]>[0]): ReadonlyArray<RowKey> {
    return this.#options.storage.scan(options)
  }

  /**
   * Applies operations, all or none. The result can be sent at once; `settled` says later
   * whether it reached this node's disk, unless nothing was updated.
   */
  update(update: Update, settled: Settled): Updated {
    const { id, key } = update
    invariant(update.calls.length > 0, "an update does something")
    const holding = this.read(key)
    const before = documentOf(holding)
    const known = id === undefined ? undefined : Document.findId(before, id)
    if (known !== undefined) {
      this.#markRetry(known.actor)
      this.#counts.retries++
      this.#settle(settled)
      return { _tag: "Updated", document: before, encoded: encode(before), isRetry: true }
    }
    const actor = this.#actorFor(key, holding)
    const after = this.#applyAll(before, update, actor)
    if ("_tag" in after) return after
    const encoded = encode(after)
    const failure = this.#write({ key, before, after, encoded, own: actor }, holding, settled)
    if (failure !== undefined) return { _tag: "Unwritten", failure }
    this.#lastIssued.made(key, actor, after.context.get(actor)!)
    this.#counts.updates++
    return { _tag: "Updated", document: after, encoded, isRetry: false }
  }

  /**
   * Joins another replica's document into this one's; `settled` says later whether it is on this
   * node's disk, unless it is refused. `encoded` spares encoding it where that is known.
   */
  join(
    arrival: {
      readonly key: RowKey
      readonly document: Document.Document
      readonly encoded?: DocumentCodec.EncodedDocument
    },
    settled: Settled
  ): Joined {
    const { document: incoming, key } = arrival
    const holding = this.read(key)
    const before = documentOf(holding)
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
    if (holding._tag === "Damaged") runtime.mark("replica: a damaged row is mended by a join")
    if (holding._tag === "Found" && Row.contradicts(holding, { ...arrival, joined: after })) {
      this.#counts.divergences++
    }
    if (after === before) {
      this.#settle(settled)
      return { _tag: "Joined" }
    }
    const own = holding._tag === "Found" ? holding.own : ""
    const encoded = (after === incoming ? arrival.encoded : undefined) ?? encode(after)
    const failure = this.#write({ key, before, after, encoded, own }, holding, settled)
    if (failure === undefined) return { _tag: "Joined" }
    return { _tag: "Refused", reason: `${failure.kind}: ${failure.detail}` }
  }

  #applyAll(
    before: Document.Document,
    update: Update,
    actor: Dot.Actor
  ): Document.Document | Refusal {
    const { stampMillis, runtime } = this.#options
    const nowMillis = stampMillis()
    let document = before
    let dot = { actor, counter: 0 }
    const { seen, stampSeen } = update
    for (const { args, operation } of update.calls) {
      dot = { actor, counter: ++this.#issued }
      const mutated = operation.mutate({ document, dot, nowMillis, seen, stampSeen, args })
      if (mutated._tag !== "Changed") return mutated
      if (!Document.canJoin(document, { ...Document.empty, store: mutated.delta.store })) {
        return { _tag: "InvalidArguments", path: "$", problem: otherKind }
      }
      if (mutated.delta.deferred.length > 0) runtime.mark("replica: a removal is deferred")
      document = Document.apply(document, mutated.delta)
    }
    const { id } = update
    if (id === undefined) return document
    return Document.withoutOldIds(Document.withId(document, { ...id, ...dot }), nowMillis)
  }

  #actorFor(key: RowKey, holding: LocalRead): Dot.Actor {
    const continues = holding._tag === "Found" && Dot.isActorOf(holding.own, this.#self())
    if (continues && this.#lastIssued.mayContinue(key, holding)) return holding.own
    this.#counts.births++
    const { runtime } = this.#options
    if (holding._tag === "Damaged") runtime.mark("replica: a birth after a damaged row")
    if (continues) runtime.mark("replica: a birth because a row may be an old one")
    return Dot.actor({ ...this.#self(), birth: ++this.#issued })
  }

  #self() {
    return { node: this.#options.node, incarnation: this.#incarnation }
  }

  #markRetry(actor: Dot.Actor): void {
    const { node, runtime } = this.#options
    runtime.mark("replica: a retry is answered from its id")
    if (Dot.isActorOf(actor, this.#self())) return
    if (actor.startsWith(`${node}.`)) runtime.mark("replica: a retry is answered after a restart")
    else runtime.mark("replica: a retry is answered that another node carried out")
  }

  #write(
    options: {
      readonly key: RowKey
      readonly before: Document.Document
      readonly after: Document.Document
      readonly encoded: DocumentCodec.EncodedDocument
      readonly own: string
    },
    holding: LocalRead,
    settled: Settled
  ): StorageFailure | undefined {
    const incarnation = this.#incarnation
    this.#breaker.begin()
    const change = { key: options.key, ...Row.change(options) }
    // What is left of a damaged row goes, or its elements would be counted with the new ones.
    const gone = { key: options.key, header: undefined, elements: [], elementCount: 0 }
    const documents = holding._tag === "Damaged" ? [gone, change] : [change]
    let refusal: StorageFailure | undefined
    let accepted = false
    this.#options.storage.write({ documents, rows: [] }, (failure) => {
      // Before the call returns this means that nothing was accepted, and so nothing is lost.
      if (!accepted) refusal = failure
      else this.#committed(failure, incarnation, settled)
    })
    accepted = true
    if (refusal !== undefined) return refusal
    const { after: document, encoded, key, own } = options
    this.#cache.set(key, { document, digest: encoded.digest, own }, encoded.bytes.length)
    return undefined
  }

  #committed(
    failure: StorageFailure | undefined,
    incarnation: Incarnation.Incarnation,
    settled: Settled
  ): void {
    this.#breaker.end(failure)
    if (failure !== undefined) {
      // What storage hides now must not be found here.
      this.#cache.clear()
      this.#endIncarnation(incarnation)
    }
    settled(failure)
  }

  /**
   * What nothing was changed about may still be on its way to the disk. It is asked about now: by
   * the end of the turn its commit may have failed, and nothing would wait any more.
   */
  #settle(settled: Settled): void {
    const { storage, runtime } = this.#options
    const incarnation = this.#incarnation
    let isNow = true
    storage.barrier((failure) => {
      if (isNow) runtime.endOfTurn(() => settled(failure))
      // A group failed: what it held is hidden now, whoever hears of it first.
      else if (failure !== undefined) this.#committed(failure, incarnation, settled)
      else settled(undefined)
    })
    isNow = false
  }

  /** What failed to commit may have been sent; its dots must never be made again. */
  #endIncarnation(failed: Incarnation.Incarnation): void {
    if (this.#incarnation !== failed) return
    const { storage, runtime } = this.#options
    this.#incarnation = Incarnation.next({ previous: failed, now: runtime.now(), id: runtime.id() })
    this.#issued = 0
    this.#lastIssued.clear()
    this.#counts.incarnationsEnded++
    runtime.mark("replica: an incarnation ends with a failed commit")
    // A failure to record it is harmless: the next start draws a greater one by the clock.
    storage.write(metadataBatch("incarnation", this.#incarnation), () => {})
  }

  #damaged(detail: string): LocalRead {
    this.#counts.damaged++
    return { _tag: "Damaged", detail }
  }
}

const otherKind = "a state of another kind is stored under this key"

const encode = (document: Document.Document) => DocumentCodec.encode(document)

const documentOf = (holding: LocalRead): Document.Document =>
  holding._tag === "Found" ? holding.document : Document.empty
