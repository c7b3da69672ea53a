/**
 * Delivers the documents that this node keeps for others: to each target as soon as it is believed
 * up, a few at a time, and no faster than work in the background may go on. A hint ends when its
 * target has the document on disk, and the document has not changed since it was sent; with the
 * last of its hints the document goes, unless this node is to have it.
 *
 * The hints of a target have their turns in rounds, in each of them the oldest first: one that
 * cannot be delivered now comes again in the next round, and no other waits for it.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, section 4.6
 */
import type { HintReport, KeptFor } from "../../schemas/HintReport.ts"
import type { HandedOff, PeerMessage } from "../../schemas/PeerMessage.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { BackgroundBudget } from "../core/admission/BackgroundBudget.ts"
import type { HandoffLimits } from "../core/model/HandoffLimits.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Hint } from "../replica/Hints.ts"
import type { LocalRead } from "../replica/LocalDocument.ts"
import type { Replica } from "../replica/Replica.ts"
import { isOfNode } from "../replica/Refusal.ts"
import { put, take, type Way, wayTo } from "./Way.ts"

export interface HintDeliveryOptions {
  readonly runtime: Runtime
  readonly node: NodeId
  readonly replica: Replica
  readonly view: Pick<ClusterView, "isMember" | "liveness" | "preferenceList">
  /** The replicas that a bucket has; undefined where it is not known here. */
  readonly replicasOf: (bucket: string) => number | undefined
  /** As the bucket is declared here now; undefined where it is not known here. */
  readonly fingerprintOf: (bucket: string) => string | undefined
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** Which all work in the background shares. */
  readonly background: Pick<BackgroundBudget, "pauseMillis">
  readonly limits: HandoffLimits & Pick<NodeLimits, "diskRetryMillis" | "repairBytesPerSecond">
}

/** Counts that only grow. */
export interface HandoffStats {
  readonly hintsDelivered: number
  readonly hintsChanged: number
  readonly hintsResent: number
  readonly hintsRefusedByTarget: number
  /** Copies of others' documents that were removed. */
  readonly copiesDropped: number
  /** Hints whose document was gone or damaged. */
  readonly hintsVoid: number
  /** How often the disk did not tell a document; its hint stays. */
  readonly copiesUnreadable: number
}

export class HintDelivery {
  readonly handlers = {
    HandedOff: (message: HandedOff, from: NodeId): void => this.#confirmed(from, message)
  }
  readonly #options: HintDeliveryOptions
  readonly #ways = new Map<NodeId, Way>()
  /** When each node last confirmed a document, on the monotonic clock. */
  readonly #deliveredAt = new Map<NodeId, number>()
  #number: number
  #cancel: Cancel | undefined
  /** Nothing is sent before. */
  #freeAt = -Infinity
  #cancelPause: Cancel | undefined
  /** The disk is not asked before for hints that it could not tell; how often it could not. */
  #loadAt = -Infinity
  #failedLoads = 0
  /** Whose turn it is to be first. */
  #turn = 0
  #isClosed = false
  readonly #counts = {
    hintsDelivered: 0,
    hintsChanged: 0,
    hintsResent: 0,
    hintsRefusedByTarget: 0,
    copiesDropped: 0,
    hintsVoid: 0,
    copiesUnreadable: 0
  }

  constructor(options: HintDeliveryOptions) {
    this.#options = options
    // A confirmation for a former incarnation must not be taken for one to this one.
    this.#number = Number.parseInt(options.runtime.id().slice(-8), 36)
    options.replica.hints.onHint(() => this.#schedule())
    if (this.#isAwaited) this.#schedule()
  }

  stats(): HandoffStats {
    return { ...this.#counts }
  }

  /** What is kept for whom, for people. */
  report(): HintReport {
    const { limits, node, replica: { hints }, runtime } = this.#options
    const owed = new Map(hints.owed().map((kept) => [kept.target, kept]))
    const nodes = [...new Set([...owed.keys(), ...this.#deliveredAt.keys()])].toSorted()
    return {
      node,
      bytes: hints.stats().hintBytes,
      bytesMax: limits.hintBytesMax,
      nodes: nodes.map((target): KeptFor => {
        const kept = owed.get(target)
        const deliveredAt = this.#deliveredAt.get(target)
        return {
          node: target,
          believedUp: this.#isUp(target),
          documents: kept?.hints ?? 0,
          bytes: kept?.bytes ?? 0,
          ...kept === undefined
            ? {}
            : { oldestMillis: Math.max(Math.round(runtime.now() - kept.sinceMillis), 0) },
          ...deliveredAt === undefined
            ? {}
            : { deliveredMillis: Math.round(runtime.elapsed() - deliveredAt) }
        }
      })
    }
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#cancelPause?.()
  }

  #schedule(): void {
    if (this.#cancel !== undefined || this.#isClosed) return
    const { limits, runtime } = this.#options
    this.#cancel = runtime.after(limits.handoffCheckMillis, () => {
      this.#cancel = undefined
      try {
        this.#check()
      } finally {
        if (this.#isAwaited) this.#schedule()
        else this.#ways.clear()
      }
    })
  }

  /** Whether there are hints, or may be. */
  get #isAwaited(): boolean {
    const { hints } = this.#options.replica
    return hints.stats().hints > 0 || !hints.isWhole
  }

  /** Asks for the hints that the disk could not tell; the last pauses are 64 times the first. */
  #loadMore(): void {
    const { limits: { diskRetryMillis }, replica: { hints }, runtime } = this.#options
    if (hints.isWhole || runtime.elapsed() < this.#loadAt) return
    if (hints.loadNext()) this.#failedLoads = 0
    else this.#loadAt = runtime.elapsed() + diskRetryMillis * 2 ** Math.min(this.#failedLoads++, 6)
  }

  #check(): void {
    this.#loadMore()
    const { limits: { handoffWaitMillis }, runtime } = this.#options
    const now = runtime.elapsed()
    for (const way of this.#ways.values()) {
      for (const [request, { sentAt }] of way.sent) {
        if (now - sentAt < handoffWaitMillis) continue
        this.#counts.hintsResent++
        runtime.mark("hint: a document that was not confirmed is sent again")
        take(way, request)
      }
    }
    this.#deliverAll()
  }

  /** To each target in its turn, so that none gets the whole of a small budget. */
  #deliverAll(): void {
    const targets = this.#options.replica.hints.targets()
    const first = targets.length === 0 ? 0 : this.#turn++ % targets.length
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      this.#deliver(target)
    }
  }

  /** Goes on when the bytes that were sent fit the budget. */
  #paid(bytes: number): void {
    const { background, limits: { repairBytesPerSecond }, runtime } = this.#options
    const now = runtime.elapsed()
    const millis = background.pauseMillis(bytes, repairBytesPerSecond, now)
    if (millis < 1) return
    this.#freeAt = now + millis
    this.#cancelPause?.()
    this.#cancelPause = runtime.after(millis, () => this.#deliverAll())
  }

  /** Sends what there is room for, each hint at most once. */
  #deliver(target: NodeId): void {
    const { limits, replica, runtime } = this.#options
    const way = this.#wayOf(target)
    if (!this.#isUp(target)) return
    if (way.pausedUntil > runtime.elapsed()) return
    const gone: Array<Hint> = []
    let [looked, unsent] = [0, 0]
    while (this.#hasRoom(way) && unsent < limits.handoffsInFlightMax) {
      const { value: hint } = way.round.next()
      if (hint === undefined) {
        if (looked > 0 || way.nextRoundAt > runtime.elapsed()) break
        way.round = replica.hints.of(target)
      } else if (!way.arrivals.has(hint.arrival)) {
        const found = this.#send(way, hint)
        if (found !== "Sent") unsent++
        if (found === "Gone") gone.push(hint)
      }
      looked++
    }
    for (const hint of gone) this.#end(hint, { isDelivered: false })
  }

  #hasRoom({ bytes, sent }: Way): boolean {
    const { limits: { handoffBytesInFlightMax, handoffsInFlightMax }, runtime } = this.#options
    return sent.size < handoffsInFlightMax
      && (sent.size === 0 || bytes < handoffBytesInFlightMax)
      && runtime.elapsed() >= this.#freeAt
  }

  #isUp(target: NodeId): boolean {
    const { view } = this.#options
    return view.isMember(target) && view.liveness.isUp(target)
  }

  /** Sends a document where it is found. */
  #send(way: Way, hint: Hint): "Sent" | "Unread" | "Gone" {
    const { fingerprintOf, replica, runtime, send, view } = this.#options
    const { key, target } = hint
    const local = replica.read(key)
    if (isUnread(local)) {
      this.#unreadable(way)
      return "Unread"
    }
    if (local._tag !== "Found") {
      this.#counts.hintsVoid++
      return "Gone"
    }
    const { bytes } = DocumentCodec.encode(local.document)
    const request = ++this.#number
    const { context } = local.document
    put(way, request, { hint, context, bytes: bytes.length, sentAt: runtime.elapsed() })
    this.#paid(bytes.length)
    view.liveness.expects(target)
    const name = { partition: key.partitionKey, sort: key.sortKey }
    send(target, {
      _tag: "Handoff",
      request,
      bucket: key.bucket,
      // The bucket may have been declared otherwise since the hint was written.
      fingerprint: fingerprintOf(key.bucket) ?? hint.fingerprint,
      key: name,
      document: bytes
    })
    return "Sent"
  }

  /** The next read may find it. */
  #unreadable(way: Way): void {
    this.#counts.copiesUnreadable++
    this.#tryAgain(way)
  }

  /** Another round is to come, in a while. */
  #tryAgain(way: Way): void {
    const { limits: { handoffWaitMillis }, runtime } = this.#options
    way.nextRoundAt = runtime.elapsed() + handoffWaitMillis
  }

  #wayOf(target: NodeId): Way {
    let way = this.#ways.get(target)
    if (way === undefined) {
      way = wayTo(target, this.#options.replica.hints)
      this.#ways.set(target, way)
    }
    return way
  }

  #confirmed(target: NodeId, { refusal, request }: HandedOff): void {
    const { limits, replica, runtime } = this.#options
    const sent = take(this.#ways.get(target), request)
    if (sent === undefined) return
    if (refusal !== "") {
      this.#counts.hintsRefusedByTarget++
      runtime.mark("hint: the target refuses the document")
      const way = this.#wayOf(target)
      if (isOfNode(refusal)) {
        way.pausedUntil = runtime.elapsed() + limits.handoffWaitMillis
        return
      }
      this.#tryAgain(way)
      return this.#deliver(target)
    }
    const { context, hint } = sent
    const local = replica.read(hint.key)
    const isSame = local._tag === "Found"
      ? VersionVector.covers(context, local.document.context)
      : !isUnread(local)
    if (isSame) this.#end(hint, { isDelivered: local._tag === "Found" })
    else if (isUnread(local)) this.#unreadable(this.#wayOf(target))
    else {
      this.#counts.hintsChanged++
      runtime.mark("hint: the document has changed since it was sent")
    }
    this.#deliver(target)
  }

  /** Ends a hint, and with the last one of its document the copy that was kept for others. */
  #end(hint: Hint, { isDelivered }: { readonly isDelivered: boolean }): void {
    const { replica, runtime } = this.#options
    const { hints } = replica
    const { key, target } = hint
    if (hints.find(target, key)?.arrival !== hint.arrival) return
    const isDropped = hints.isLast(key) && !this.#isOwn(key)
    if (isDropped) runtime.mark("hint: the last one takes the copy with it")
    replica.endHint(hint, { isDropped }, (failure) => {
      if (failure !== undefined) return this.#schedule()
      if (isDelivered) {
        this.#counts.hintsDelivered++
        this.#deliveredAt.set(target, runtime.elapsed())
      }
      if (isDropped) this.#counts.copiesDropped++
    })
  }

  /** Whether this node is to have the document, or may be, since it does not know the bucket. */
  #isOwn({ bucket, partition }: RowKey): boolean {
    const { node, replicasOf, view } = this.#options
    const n = replicasOf(bucket)
    return n === undefined || view.preferenceList(partition).slice(0, n).includes(node)
  }
}

/** Whether the disk did not tell the document, and may yet: it may be the only one. */
const isUnread = (local: LocalRead): boolean => local._tag === "Damaged" && local.isUnread === true
