/**
 * Sends and takes messages of the other nodes: `PeerOutbox` gathers them into frames, this class
 * decides which frames are taken, and `PeerRouter` calls their handlers.
 *
 * Coalescing is the largest single factor in throughput, and acknowledgements gain most. The
 * sender of a frame is taken from its subject, which the broker's permissions can enforce.
 */
import type { PeerHandlers, PeerMessage, PeerTag } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import * as Frame from "./Frame.ts"
import { type OutboxLimits, PeerOutbox } from "./PeerOutbox.ts"
import { PeerRouter } from "./PeerRouter.ts"
import * as Reassembly from "./Reassembly.ts"
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
  /** This node's durable changes, for the others to remember. */
  readonly position: () => Frame.Position
  /**
   * Called for each frame that belongs to this cluster, with how far the peer's clock is ahead, and
   * with its position.
   */
  readonly onHeard: (from: NodeId, clockOffsetMillis: number, position: Frame.Position) => void
  /** Told of each exception of a handler. It may throw where a failure is to end the process. */
  readonly onHandlerFailure: (failure: unknown, tag: PeerTag) => void
  readonly limits: OutboxLimits & Pick<NodeLimits, "reassemblyBytesMax" | "reassemblyPartsMax">
}

export interface LinkStats {
  readonly framesSent: number
  readonly messagesSent: number
  /** Runs of parts given up because too much was waiting. */
  readonly abandonedRuns: number
  /** Requests under the digest of another ring; they were answered, and reached no handler. */
  readonly otherRing: number
  /** Messages that were lost because their handler threw. */
  readonly handlerFailures: number
  /**
   * Frames that were not taken; `formerIncarnation` were meant for an earlier incarnation of this
   * node.
   */
  readonly refused: {
    readonly malformed: number
    readonly otherCluster: number
    readonly formerIncarnation: number
  }
}

export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #subjects: Subjects
  readonly #subscription: Subscription
  readonly #outbox: PeerOutbox
  readonly #router: PeerRouter
  readonly #incarnations = new Map<NodeId, string>()
  readonly #reassembly: Reassembly.Reassembly
  readonly #refusals = { malformed: 0, otherCluster: 0, formerIncarnation: 0 }
  #closed = false

  constructor(options: PeerLinkOptions) {
    const { limits, node, ringDigest, transport, runtime } = options
    this.#options = options
    const { reassemblyBytesMax: bytesMax, reassemblyPartsMax: partsMax } = limits
    this.#reassembly = Reassembly.make({ bytesMax, partsMax })
    this.#subjects = new Subjects(options.cluster)
    this.#outbox = new PeerOutbox({
      runtime,
      ringDigest,
      limits,
      frameBytesMax: () => transport.maxPayload(),
      headerTo: (peer) => this.#headerTo(peer),
      publish: (to, frame) => transport.publish(this.#subjects.peer({ to, from: node }), frame)
    })
    this.#router = new PeerRouter({ ...options, send: (to, message) => this.send(to, message) })
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
  greet(to: NodeId): void {
    if (!this.#closed) this.#outbox.greet(to)
  }

  stats(): LinkStats {
    return {
      framesSent: this.#outbox.framesSent,
      messagesSent: this.#outbox.messagesSent,
      abandonedRuns: this.#reassembly.abandoned(),
      otherRing: this.#router.otherRing,
      handlerFailures: this.#router.handlerFailures,
      refused: { ...this.#refusals }
    }
  }

  /** Sends gathered messages and takes nothing more. */
  close(): void {
    this.#outbox.flush()
    this.#closed = true
    this.#subscription.close()
  }

  /** The incarnation of a node in its last frame; empty where none came. */
  incarnationOf(node: NodeId): string {
    return this.#incarnations.get(node) ?? ""
  }

  #headerTo(peer: NodeId): Frame.FrameHeader {
    const { cluster, incarnation, partitionCount, position, runtime } = this.#options
    return {
      cluster,
      partitionCount,
      senderIncarnation: incarnation(),
      receiverIncarnation: this.incarnationOf(peer),
      clockMillis: runtime.now(),
      position: position()
    }
  }

  #receive(message: Message): void {
    const subject = this.#subjects.parse(message.subject)
    if (this.#closed || subject?._tag !== "Peer") return
    try {
      this.#read(subject.from, message.data)
    } catch (error) {
      // The messages before the fault in the frame were taken; the rest is lost like a lost frame.
      if (!(error instanceof Malformed)) throw error
      this.#refusals.malformed++
      this.#options.runtime.mark("link: a torn frame is refused")
    }
  }

  #read(from: NodeId, data: Uint8Array): void {
    const { body, format, header } = Frame.decode(data)
    if (!this.#accept(from, header)) return
    const sender = `${from} ${header.senderIncarnation} ${format.version}`
    const messages = body._tag === "Whole"
      ? body.messages
      : this.#reassembly.add({ sender, ...body })
    if (messages === undefined) return
    if (body._tag === "Part") this.#options.runtime.mark("link: the last part has come")
    this.#router.take(from, messages, format)
  }

  #accept(from: NodeId, header: Frame.FrameHeader): boolean {
    const { cluster, incarnation, onHeard, partitionCount, runtime } = this.#options
    if (header.cluster !== cluster || header.partitionCount !== partitionCount) {
      this.#refusals.otherCluster++
      runtime.mark("link: a frame of another cluster is refused")
      return false
    }
    // The one of the last frame, not the greatest: a wiped node with a slow clock may have a lesser
    // one. A late frame of a former incarnation so misleads one frame; the answer to that tells the
    // present incarnation.
    this.#incarnations.set(from, header.senderIncarnation)
    onHeard(from, header.clockMillis - runtime.now(), header.position)
    const addressed = header.receiverIncarnation
    if (addressed !== "" && addressed !== incarnation()) {
      this.#refusals.formerIncarnation++
      runtime.mark("link: a frame for a former incarnation is refused")
      // An empty frame tells the peer which incarnation of this node it should address.
      this.#outbox.greet(from)
      return false
    }
    return true
  }
}
