/**
 * Compares this node's documents with those of another node now and then, and repairs both: the
 * node is drawn each time, so that a document that any replica has reaches all of them, though two
 * of them may never talk (Dynamo, section 4.7). One exchange goes on at a time.
 */
import type { AntiEntropy as Message } from "../../schemas/AntiEntropyMessage.ts"
import type { NodeSync } from "../../schemas/SyncReport.ts"
import type { HashKey } from "../core/anti-entropy/VersionHash.ts"
import { Mix64 } from "../core/Mix64.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel } from "../core/Runtime.ts"
import type { Conversation } from "./Conversation.ts"
import { Exchange } from "./Exchange.ts"
import { type ExchangeContext, otherOwners } from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"
import { ExchangeServer } from "./ExchangeServer.ts"
import { FillingExchange } from "./FillingExchange.ts"
import { Filling, type FillingStatus } from "./Filling.ts"

/** The last comparison of a partition that came to an end. */
export interface LastExchange {
  readonly partition: number
  readonly peer: NodeId
  /** In milliseconds since 1970. */
  readonly at: number
  readonly differences: number
  readonly repaired: number
}

/** The outcome of an exchange as far as it has come. */
interface Found {
  differences: number
  repaired: number
  /** Partitions that were not compared. */
  skipped: number
}

/** An exchange that a user asked for. */
interface Wanted {
  readonly peer: NodeId
  /** Empty for all. */
  readonly bucket: string
  readonly found: Found
  readonly ended: (failure: string | undefined) => void
}

export class AntiEntropy {
  readonly #context: ExchangeContext
  readonly #server: ExchangeServer
  readonly #filling: Filling
  readonly #last = new Map<number, LastExchange>()
  readonly #lastBy = new Map<NodeId, Found & { readonly at: number }>()
  /** By node, the partition at which the last exchange with it ended early. */
  readonly #endedAt = new Map<NodeId, number>()
  readonly #wanted: Array<Wanted> = []
  #running: { readonly peer: NodeId; readonly conversation: Conversation } | undefined
  #cancel: Cancel = () => {}
  /** Begins where the incarnation says: no answer to a former one is taken for one to this. */
  #requests: number
  #isClosed = false
  /** Whether the last exchange filled this store, and brought nothing: then others have a turn. */
  #hasFilledNothing = false
  #counts = { exchanges: 0, failures: 0, differences: 0, repaired: 0, movedBytes: 0 }

  constructor(context: ExchangeContext) {
    this.#context = context
    const [first] = new Mix64().text(context.replica.incarnation()).finish()
    this.#requests = first
    this.#server = new ExchangeServer(context)
    context.view.lastExchange = (peer) => this.#lastWith(peer)
    const { standing, view } = context
    this.#filling = new Filling({
      isOn: () => standing.isToBeFilled(),
      incarnation: () => context.replica.operations.memory().incarnation,
      owners: () => otherOwners(context),
      otherMembers: () => view.members().map(({ id }) => id).filter((id) => id !== view.self),
      isUp: (node) => view.liveness.isUp(node),
      isLossAccepted: context.isLossAccepted ?? false,
      filled: () => standing.filled()
    })
  }

  /** Begins with the hashes of what is there; without an interval nothing is compared. */
  start(hashKey: HashKey): void {
    const { limits: { exchangeMillis }, replica, runtime, view } = this.#context
    if (exchangeMillis === 0) return
    replica.versions.start(view.ring.partitionCount, hashKey)
    this.#schedule(exchangeMillis * runtime.random())
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    this.#context.replica.versions.close()
    this.#running?.conversation.end("the node stops")
    for (const { ended } of this.#wanted.splice(0)) ended("the node stops")
  }

  /** Takes a message of another node. */
  take(message: Message, from: NodeId): void {
    if (this.#isClosed || this.#server.take(message, from)) return
    if (this.#running?.peer === from) {
      this.#running.conversation.answered(message.request, message.body)
    }
  }

  get counts() {
    return { ...this.#counts, ...this.#server.counts }
  }

  /** The last exchange of each partition that this node began. */
  lastExchanges(): ReadonlyArray<LastExchange> {
    return [...this.#last.values()].sort((a, b) => a.partition - b.partition)
  }

  /** How much has come of a store that is to be filled. */
  filling(): FillingStatus | undefined {
    return this.#filling.isOn() ? this.#filling.status() : undefined
  }

  /**
   * Exchanges with every other node, one after the other, now; an empty bucket stands for all.
   * Tells the outcomes when all have ended or the time is up; exchanges under way go on.
   */
  sync(
    { bucket, timeoutMillis }: { readonly bucket: string; readonly timeoutMillis: number },
    done: (nodes: ReadonlyArray<NodeSync>) => void
  ): void {
    const { runtime, view } = this.#context
    const nodes = view.members().filter(({ id }) => id !== view.self)
      .map(({ id: node }) => ({ node, found: { ...nothing }, end: underWay }))
    let left = nodes.length
    const tell = () => {
      cancel()
      left = -1
      done(nodes.map(({ end, found: { skipped, ...found }, node }) => ({
        node,
        ...end,
        ...found,
        ...skipped > 0 ? { skipped } : {}
      })))
    }
    const cancel = runtime.after(timeoutMillis, tell)
    for (const of of nodes) {
      this.#want({
        peer: of.node,
        bucket,
        found: of.found,
        ended: (reason) => {
          of.end = reason === undefined ? { outcome: "compared" } : { outcome: "failed", reason }
          if (--left === 0) tell()
        }
      })
    }
    if (nodes.length === 0) tell()
    if (this.#running === undefined) this.#next()
  }

  /** The age of the partition that was compared longest ago; undefined where none was. */
  oldestMillis(): number | undefined {
    if (this.#last.size === 0) return undefined
    const oldest = Math.min(...[...this.#last.values()].map(({ at }) => at))
    return Math.max(this.#context.runtime.now() - oldest, 0)
  }

  #lastWith(peer: NodeId) {
    const last = this.#lastBy.get(peer)
    if (last === undefined) return undefined
    const { at, differences, repaired } = last
    const ageMillis = Math.round(this.#context.runtime.elapsed() - at)
    return { ageMillis, differences, repaired }
  }

  #want(wanted: Wanted): void {
    const { limits: { exchangeMillis, syncsWaitingMax } } = this.#context
    if (this.#isClosed || exchangeMillis === 0) {
      wanted.ended("replicas are not compared here")
    } else if (this.#wanted.length >= syncsWaitingMax) {
      wanted.ended("too many exchanges wait")
    } else this.#wanted.push(wanted)
  }

  #schedule(millis: number): void {
    this.#cancel()
    this.#cancel = this.#context.runtime.after(millis, () => this.#next())
  }

  #next(): void {
    const { limits: { differenceMillis, exchangeMillis }, runtime } = this.#context
    // Without an interval there is no end of exchanges that follow each other at once.
    if (this.#isClosed || this.#running !== undefined || exchangeMillis === 0) return
    this.#cancel()
    const wanted = this.#wanted.shift()
    const toFill = wanted === undefined && !this.#hasFilledNothing
      ? this.#filling.next()
      : undefined
    this.#hasFilledNothing = false
    const peer = wanted?.peer ?? toFill ?? this.#draw()
    if (peer === undefined) {
      // Alone, it has what there is.
      this.#filling.check()
      return this.#schedule(exchangeMillis)
    }
    const { steps } = this.#filling
    const options = this.#optionsFor(peer, wanted, () => {
      this.#hasFilledNothing = toFill !== undefined && this.#filling.steps === steps
      const pause = exchangeMillis * (0.5 + runtime.random())
      const most = this.#filling.isWaiting() ? differenceMillis : Infinity
      this.#schedule(this.#wanted.length > 0 ? 0 : Math.min(pause, most))
    })
    const exchange = toFill === undefined
      ? new Exchange(this.#context, options)
      : new FillingExchange(this.#context, options, this.#filling)
    this.#running = { peer, conversation: exchange.conversation }
    exchange.conversation.carryOut(() => exchange.start())
  }

  #optionsFor(peer: NodeId, wanted: Wanted | undefined, next: () => void): ExchangeOptions {
    const { runtime } = this.#context
    const found = wanted?.found ?? { ...nothing }
    const bucket = wanted?.bucket ?? ""
    return {
      peer,
      bucket,
      endedAt: this.#endedAt.get(peer) ?? -1,
      repairs: (partition) => void this.#endedAt.set(peer, partition),
      number: () => ++this.#requests,
      outcome: (outcome) => {
        found.differences += outcome.differences
        found.repaired += outcome.repaired
        this.#counts.differences += outcome.differences
        this.#counts.repaired += outcome.repaired
        if (outcome.repaired > 0) runtime.mark("anti-entropy: a difference is repaired")
        this.#last.set(outcome.partition, { ...outcome, peer, at: runtime.now() })
      },
      skipped: (partitions) => void (found.skipped += partitions),
      told: (completeness) => {
        this.#filling.told(peer, completeness)
        if (completeness === "incomplete" && wanted === undefined) this.#leaveToFill()
      },
      moved: (bytes) => void (this.#counts.movedBytes += bytes),
      done: (failure) => {
        this.#running = undefined
        if (failure === undefined) {
          this.#counts.exchanges++
          this.#endedAt.delete(peer)
          if (bucket === "") this.#lastBy.set(peer, { ...found, at: runtime.elapsed() })
        } else {
          this.#counts.failures++
          runtime.mark("anti-entropy: an exchange ends early")
        }
        this.#filling.check()
        wanted?.ended(failure)
        if (!this.#isClosed) next()
      }
    }
  }

  /**
   * A store that is filled has each owner send everything: to compare with it, too, would send most
   * of that twice. It begins exchanges itself while nobody can send it more.
   */
  #leaveToFill(): void {
    if (!this.#filling.isOn()) this.#running?.conversation.end("the other node is filled")
  }

  /** Another member, one that is believed up if there is any. */
  #draw(): NodeId | undefined {
    const { runtime, view } = this.#context
    const others = view.members().map(({ id }) => id).filter((id) => id !== view.self)
    const up = others.filter((id) => view.liveness.isUp(id))
    const among = up.length > 0 ? up : others
    return among[Math.floor(runtime.random() * among.length)]
  }
}

const nothing: Readonly<Found> = { differences: 0, repaired: 0, skipped: 0 }

const underWay: Pick<NodeSync, "outcome" | "reason"> = { outcome: "under way" }
