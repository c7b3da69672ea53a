/**
 * Sends and takes messages of the other nodes: `PeerOutbox` gathers them into frames, this class
 * decides which frames are taken, and `PeerRouter` calls their handlers.
 *
 * Coalescing is the largest single factor in throughput, and acknowledgements gain most. The
 * sender of a frame is taken from its subject, which its MAC covers and the broker's permissions
 * can enforce.
 */
import type { PeerHandlers, PeerMessage, PeerTag } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import type { RecurringTexts } from "../core/codec/RecurringTexts.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import { type ClusterName, NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import { type WorkLimits, WorkQueue } from "../core/WorkQueue.ts"
import * as Frame from "./Frame.ts"
import { FrameGate } from "./FrameGate.ts"
import type { FrameSeal } from "./FrameSeal.ts"
import type { FrameWindowLimits } from "./FrameWindows.ts"
import type { LinkStats } from "./LinkStats.ts"
import { type OutboxLimits, PeerOutbox } from "./PeerOutbox.ts"
import { isUnasked } from "./PeerMessageCodec.ts"
import { PeerRouter } from "./PeerRouter.ts"
import * as Reassembly from "./Reassembly.ts"
import { transferOf } from "./SentRuns.ts"
import { Subjects } from "./Subjects.ts"
import type { Message, Subscription, TransportService } from "./Transport.ts"

export interface PeerLinkOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly cluster: ClusterName
  readonly node: NodeId
  readonly partitionCount: number
  readonly incarnation: () => string
  /** Sixteen hexadecimal digits of the ring that this node serves now. */
  readonly ringDigest: () => string
  readonly handlers: PeerHandlers
  /** Shared with handlers that read parts of the messages. */
  readonly recurring?: RecurringTexts
  /** This node's durable changes, for a peer to remember; none unless given. */
  readonly position?: (peer: NodeId) => Frame.Position
  /** Seals the frames of this node, and proves those of the others. */
  readonly seal: FrameSeal
  /** Frames of other senders are refused before anything of them is kept. */
  readonly isMember: (node: NodeId) => boolean
  /** Whether a node had ended an incarnation when it got a frame that was sent at this time. */
  readonly isFormer?: (node: NodeId, incarnation: string, sentAt: number) => boolean
  /** Called for each frame that says another key. It proves nothing, not even its sender. */
  readonly onOtherKey?: (from: NodeId) => void
  /**
   * Called for each frame that belongs to this cluster, with how far the peer's clock is ahead, at
   * least, and with what the frame tells besides.
   */
  readonly onHeard: (from: NodeId, leastMillis: number, told: Told) => void
  /** Told of each exception of a handler. It may throw where a failure is to end the process. */
  readonly onHandlerFailure: (failure: unknown, tag: PeerTag) => void
  readonly limits:
    & OutboxLimits
    & ReassemblyLimits
    & FrameWindowLimits
    & WorkLimits
    & Pick<NodeLimits, "frameMessagesMax">
}

type ReassemblyLimits = Pick<
  NodeLimits,
  | "reassemblyBytesMax"
  | "reassemblyPartsMax"
  | "partsPauseMillis"
  | "partsAsksMax"
  | "finishedRunsMax"
>

/** What a frame tells of its sender, besides that it is up. */
export interface Told {
  /** How far its clock is ahead at most. */
  readonly greatestMillis: number
  /**
   * When the last frame was sent from here that it had got by then, on the monotonic clock;
   * Infinity where the frame carries answers, or does not say it.
   */
  readonly reachedAt: number
  /** How many changes are durable there. */
  readonly position: Frame.Position
}

/** The last frame of a peer that was taken. */
interface Heard {
  readonly incarnation: string
  readonly clockMillis: number
  /** On the monotonic clock. */
  readonly at: number
}

export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #subjects: Subjects
  readonly #subscription: Subscription
  readonly #outbox: PeerOutbox
  readonly #router: PeerRouter
  /** In which the messages of frames take their turns. */
  readonly #work: WorkQueue
  readonly #heard = new Map<NodeId, Heard>()
  /** By the subjects of members that came. */
  readonly #senders = new Map<string, NodeId>()
  readonly #reassembly: Reassembly.Reassembly
  readonly #gate: FrameGate
  readonly #refusals = { malformed: 0, otherCluster: 0, formerIncarnation: 0, formerSender: 0 }
  /** Of the last frame to each peer. */
  readonly #numbers = new Map<NodeId, number>()
  #partsAsked = 0
  #sweeping = false
  #closed = false

  constructor(options: PeerLinkOptions) {
    const { limits, node, ringDigest, seal, transport, runtime } = options
    this.#options = options
    this.#gate = new FrameGate(options)
    this.#reassembly = Reassembly.make({
      bytesMax: limits.reassemblyBytesMax,
      partsMax: limits.reassemblyPartsMax,
      asksMax: limits.partsAsksMax,
      finishedMax: limits.finishedRunsMax
    })
    this.#subjects = new Subjects(options.cluster)
    this.#outbox = new PeerOutbox({
      runtime,
      ringDigest,
      limits,
      frameBytesMax: () => transport.maxPayload(),
      flush: (done) => transport.flush(done),
      headerTo: (peer) => this.#headerTo(peer),
      publish: (to, frame) => {
        const subject = this.#subjects.peer({ to, from: node })
        seal.seal(subject, frame)
        transport.publish(subject, frame)
      }
    })
    this.#work = new WorkQueue({ runtime, limits })
    this.#router = new PeerRouter({
      ...options,
      work: this.#work,
      send: (to, message) => this.send(to, message),
      onMalformed: () => this.#refuseTorn()
    })
    this.#subscription = transport.subscribe(
      this.#subjects.peersTo(node),
      (message) => this.#receive(message)
    )
  }

  /** Sends at the end of this turn, with all else for the same peer; may be lost. */
  send(to: NodeId, message: PeerMessage): void {
    if (!this.#closed) this.#outbox.send(to, message)
  }

  /** Sends an empty frame at once, which says no more than its header: this node's position. */
  tellPosition(to: NodeId): void {
    if (!this.#closed) this.#outbox.greet(to)
  }

  stats(): LinkStats {
    return {
      framesSent: this.#outbox.framesSent,
      messagesSent: this.#outbox.messagesSent,
      abandonedRuns: this.#reassembly.abandoned() + this.#outbox.abandonedRuns,
      partsAsked: this.#partsAsked,
      partsResent: this.#outbox.partsResent,
      partBytes: this.#reassembly.waitingBytes() + this.#outbox.keptBytes,
      otherRing: this.#router.otherRing,
      handlerFailures: this.#router.handlerFailures,
      windowBytes: this.#gate.windowBytes,
      work: this.#work.stats,
      refused: { ...this.#gate.refusals, ...this.#refusals }
    }
  }

  /** Sends gathered messages and takes nothing more. */
  close(): void {
    this.#outbox.flush()
    this.#outbox.forget()
    this.#closed = true
    this.#work.close()
    this.#subscription.close()
  }

  /**
   * Sends an empty frame, from which a peer learns incarnation, key and clock, unless something was
   * sent to it since the last call; returns whether it was.
   */
  greet(to: NodeId): boolean {
    return !this.#closed && this.#outbox.greetUnlessSent(to)
  }

  /** The incarnation of a node in its last frame; empty where none came. */
  incarnationOf(node: NodeId): string {
    return this.#heard.get(node)?.incarnation ?? ""
  }

  /** Forgets the nodes that are no members any more. */
  retainMembers(): void {
    const { isMember } = this.#options
    this.#gate.retainMembers()
    this.#senders.clear()
    for (const node of this.#heard.keys()) if (!isMember(node)) this.#heard.delete(node)
    for (const node of this.#numbers.keys()) if (!isMember(node)) this.#numbers.delete(node)
  }

  /** Each header has a number of its own. */
  #headerTo(peer: NodeId, heard = this.#heard.get(peer)): Frame.FrameHeader {
    const { cluster, incarnation, partitionCount, position, runtime } = this.#options
    const number = (this.#numbers.get(peer) ?? 0) + 1
    this.#numbers.set(peer, number)
    return {
      cluster,
      partitionCount,
      senderIncarnation: incarnation(),
      number,
      receiverIncarnation: heard?.incarnation ?? "",
      clockMillis: runtime.now(),
      receiverClockMillis: heard?.clockMillis,
      heldMillis: heard && runtime.elapsed() - heard.at,
      position: position?.(peer)
    }
  }

  #receive({ data, subject }: Message): void {
    const from = this.#senderOf(subject)
    // Frames under the own id are another process's, or questions to one.
    if (this.#closed || from === undefined || from === this.#options.node) return
    try {
      const frame = this.#gate.open({ from, subject, data })
      if (frame !== undefined) this.#read(from, frame)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.#refuseTorn()
    }
  }

  #senderOf(name: string): NodeId | undefined {
    const known = this.#senders.get(name)
    if (known !== undefined) return known
    const subject = this.#subjects.parse(name)
    if (subject?._tag !== "Peer") return undefined
    if (this.#options.isMember(subject.from)) this.#senders.set(name, subject.from)
    return subject.from
  }

  #refuseTorn(): void {
    this.#refusals.malformed++
    this.#options.runtime.mark("link: a torn frame is refused")
  }

  #read(from: NodeId, frame: Frame.Frame): void {
    const { body, header } = frame
    if (!this.#accept(from, frame)) return
    switch (body._tag) {
      case "Whole":
        return this.#router.take(from, body.messages)
      case "Part": {
        const sender = `${from} ${header.senderIncarnation}`
        const messages = this.#reassembly.add({ sender, ...body })
        this.#scheduleSweep()
        if (messages !== undefined) this.#takeWhole(from, messages, body)
        return
      }
      case "Missing":
        return this.#outbox.resend(from, body)
    }
  }

  #takeWhole(from: NodeId, messages: Uint8Array, { transfer }: Frame.PartHeader): void {
    this.#options.runtime.mark("link: the last part has come")
    // A run is named after its content.
    if (transferOf(messages) !== transfer) throw new Malformed("parts of one run", 0)
    this.#router.take(from, messages)
  }

  /** While parts wait, asks now and then for those that are missing. */
  #scheduleSweep(): void {
    const { limits, runtime } = this.#options
    if (this.#sweeping || this.#closed || this.#reassembly.isIdle()) return
    this.#sweeping = true
    runtime.after(limits.partsPauseMillis, () => {
      this.#sweeping = false
      if (this.#closed) return
      for (const { count, missing, sender, transfer } of this.#reassembly.sweep()) {
        runtime.mark("link: missing parts are asked for")
        this.#partsAsked++
        this.#outbox.ask(NodeId.make(sender.split(" ", 1)[0]!), { transfer, count, missing })
      }
      this.#scheduleSweep()
    })
  }

  #accept(from: NodeId, { body, header }: Frame.Frame): boolean {
    const { cluster, incarnation, onHeard, partitionCount, runtime } = this.#options
    if (header.cluster !== cluster || header.partitionCount !== partitionCount) {
      this.#refusals.otherCluster++
      runtime.mark("link: a frame of another cluster is refused")
      return false
    }
    const { clockMillis, receiverIncarnation: addressed, senderIncarnation } = header
    const isForThis = addressed === incarnation()
    // A wiped node with a slow clock may have a lesser incarnation than before. So it is believed,
    // once it has heard this one: that no frame has which was recorded before this node started.
    if (!isForThis && senderIncarnation < this.incarnationOf(from)) {
      this.#refusals.formerSender++
      runtime.mark("link: a frame of a former incarnation is refused")
      // Addressed to that one: if it lives, its next frame shows that it has heard this node.
      const refused = { incarnation: senderIncarnation, clockMillis, at: runtime.elapsed() }
      this.#outbox.greet(from, this.#headerTo(from, refused))
      return false
    }
    if (this.#options.isFormer?.(from, senderIncarnation, this.#sentAt(header)) === true) {
      // Its messages count, but it changes no address.
      runtime.mark("link: a late frame of a former incarnation changes no address")
      return isForThis
    }
    this.#heard.set(from, { incarnation: senderIncarnation, clockMillis, at: runtime.elapsed() })
    onHeard(from, clockMillis - runtime.now(), this.#toldBy(header, isGreeting(body)))
    if (addressed !== "" && !isForThis) {
      this.#refusals.formerIncarnation++
      runtime.mark("link: a frame for a former incarnation is refused")
      // An empty frame tells the peer which incarnation of this node it should address.
      this.#outbox.greet(from)
      return false
    }
    return true
  }

  #toldBy(header: Frame.FrameHeader, isUnanswering: boolean): Told {
    const { clockMillis, heldMillis = 0, position = Frame.noPosition } = header
    const { receiverClockMillis = -Infinity } = header
    const greatestMillis = clockMillis - receiverClockMillis - heldMillis
    const sentAt = this.#sentAt(header)
    const reachedAt = isUnanswering && sentAt !== -Infinity ? sentAt : Infinity
    return { greatestMillis, reachedAt, position }
  }

  /** When the last frame was sent that the peer had got, by the own clock; -Infinity for none. */
  #sentAt({ receiverClockMillis = -Infinity }: Frame.FrameHeader): number {
    const { runtime } = this.#options
    return runtime.elapsed() - (runtime.now() - receiverClockMillis)
  }
}

const isGreeting = (body: Frame.FrameBody): boolean =>
  body._tag === "Whole" && isUnasked(body.messages)
