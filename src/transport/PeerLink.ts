/**
 * Exchanges messages with the other nodes: what is sent to one peer in one turn of the event loop
 * travels as one frame, or as few as the broker's `max_payload` allows. A message that is larger
 * than that is split.
 *
 * Coalescing is the largest single factor in throughput, and acknowledgements gain most. The
 * sender of a frame is taken from its subject, which the broker's permissions can enforce.
 */
import { type PeerMessage, readMessage, writeMessage } from "../../schemas/PeerMessage.ts"
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import * as Frame from "./Frame.ts"
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
  readonly ringDigest: () => string
  readonly onMessage: (from: NodeId, message: PeerMessage) => void
  /** Called for each frame that belongs to this cluster, with how far the peer's clock is ahead. */
  readonly onHeard: (from: NodeId, clockOffsetMillis: number) => void
}

export interface LinkStats {
  readonly framesSent: number
  readonly messagesSent: number
  /** Runs of parts given up because too much was waiting. */
  readonly abandonedRuns: number
  /**
   * Frames that were not taken; `formerIncarnation` were meant for an earlier incarnation of this
   * node.
   */
  readonly refused: {
    readonly malformed: number
    readonly otherCluster: number
    readonly otherRing: number
    readonly formerIncarnation: number
  }
}

/** What is gathered for one peer in this turn. */
interface Outbox {
  writer: ByteWriter
  scheduled: boolean
}

const reassemblyLimits = { bytesMax: 64 * 1024 * 1024, partsMax: 4096 }
/** Frames are closed at this size, so that one turn's burst does not become one giant frame. */
const frameBytesTarget = 256 * 1024

export class PeerLink {
  readonly #options: PeerLinkOptions
  readonly #subjects: Subjects
  readonly #subscription: Subscription
  readonly #outboxes = new Map<NodeId, Outbox>()
  readonly #incarnations = new Map<NodeId, string>()
  readonly #reassembly = Reassembly.make(reassemblyLimits)
  readonly #refusals = { malformed: 0, otherCluster: 0, otherRing: 0, formerIncarnation: 0 }
  #transfers = 0
  #framesSent = 0
  #messagesSent = 0
  #closed = false

  constructor(options: PeerLinkOptions) {
    this.#options = options
    this.#subjects = new Subjects(options.cluster)
    this.#subscription = options.transport.subscribe(
      this.#subjects.peersTo(options.node),
      (message) => this.#receive(message)
    )
  }

  /** Sends at the end of this turn, with all else for the same peer; may be lost. */
  send(to: NodeId, message: PeerMessage): void {
    if (this.#closed) return
    const outbox = this.#outboxOf(to)
    const start = outbox.writer.length
    this.#messagesSent++
    writeMessage(outbox.writer, message)
    const room = this.#room()
    if (start > 0 && outbox.writer.length > room) {
      // What fits goes without the message that does not, so that no more than it is split.
      const messages = outbox.writer.finish()
      outbox.writer = new ByteWriter(4096).raw(messages.subarray(start))
      this.#publish(to, { _tag: "Whole", messages: messages.subarray(0, start) })
    }
    if (outbox.writer.length >= Math.min(frameBytesTarget, room)) this.#flush(to, outbox)
    if (outbox.scheduled) return
    outbox.scheduled = true
    this.#options.runtime.endOfTurn(() => {
      outbox.scheduled = false
      this.#flush(to, outbox)
    })
  }

  stats(): LinkStats {
    return {
      framesSent: this.#framesSent,
      messagesSent: this.#messagesSent,
      abandonedRuns: this.#reassembly.abandoned(),
      refused: { ...this.#refusals }
    }
  }

  /** Sends what is gathered and takes nothing more. */
  close(): void {
    for (const [to, outbox] of this.#outboxes) this.#flush(to, outbox)
    this.#closed = true
    this.#subscription.close()
  }

  #outboxOf(to: NodeId): Outbox {
    let outbox = this.#outboxes.get(to)
    if (outbox === undefined) {
      outbox = { writer: new ByteWriter(4096), scheduled: false }
      this.#outboxes.set(to, outbox)
    }
    return outbox
  }

  /** Bytes of messages that one frame holds. */
  #room(): number {
    return this.#options.transport.maxPayload() - Frame.headerBytesMax
  }

  #flush(to: NodeId, outbox: Outbox): void {
    if (this.#closed || outbox.writer.length === 0) return
    const messages = outbox.writer.finish()
    outbox.writer = new ByteWriter(4096)
    const room = this.#room()
    if (messages.length <= room) return this.#publish(to, { _tag: "Whole", messages })
    const transfer = ++this.#transfers
    this.#options.runtime.mark("link: messages travel in parts")
    const count = Math.ceil(messages.length / room)
    for (let index = 0; index < count; index++) {
      const bytes = messages.subarray(index * room, (index + 1) * room)
      this.#publish(to, { _tag: "Part", transfer, index, count, bytes })
    }
  }

  /** The incarnation of a node that was heard last; empty where it never was. */
  incarnationOf(node: NodeId): string {
    return this.#incarnations.get(node) ?? ""
  }

  #publish(to: NodeId, body: Frame.FrameBody): void {
    const { cluster, incarnation, node, partitionCount, ringDigest, transport, runtime } =
      this.#options
    const header: Frame.FrameHeader = {
      cluster,
      partitionCount,
      senderIncarnation: incarnation(),
      receiverIncarnation: this.incarnationOf(to),
      ringDigest: ringDigest(),
      clockMillis: runtime.now()
    }
    this.#framesSent++
    transport.publish(this.#subjects.peer({ to, from: node }), Frame.encode(header, body))
  }

  #receive(message: Message): void {
    const subject = this.#subjects.parse(message.subject)
    if (this.#closed || subject?._tag !== "Peer") return
    try {
      this.#read(subject.from, message.data)
    } catch (error) {
      // What stands before the fault in the frame was taken; the rest is lost like a lost frame.
      if (!(error instanceof Malformed)) throw error
      this.#refusals.malformed++
      this.#options.runtime.mark("link: a torn frame is refused")
    }
  }

  #read(from: NodeId, data: Uint8Array): void {
    const { body, header } = Frame.decode(data)
    if (!this.#accept(from, header)) return
    const sender = `${from} ${header.senderIncarnation}`
    const messages = body._tag === "Whole"
      ? body.messages
      : this.#reassembly.add({ sender, ...body })
    if (messages === undefined) return
    if (body._tag === "Part") this.#options.runtime.mark("link: the last part has come")
    const reader = new ByteReader(messages)
    while (reader.remaining > 0) this.#options.onMessage(from, readMessage(reader))
  }

  #accept(from: NodeId, header: Frame.FrameHeader): boolean {
    const { cluster, incarnation, onHeard, partitionCount, ringDigest, runtime } = this.#options
    if (header.cluster !== cluster || header.partitionCount !== partitionCount) {
      this.#refusals.otherCluster++
      runtime.mark("link: a frame of another cluster is refused")
      return false
    }
    // The last one heard, not the greatest: a wiped node with a slow clock may have a lesser one.
    // A late frame of a dead incarnation so misleads one frame; the answer to that tells the
    // present incarnation.
    this.#incarnations.set(from, header.senderIncarnation)
    onHeard(from, header.clockMillis - runtime.now())
    if (header.ringDigest !== ringDigest()) {
      this.#refusals.otherRing++
      runtime.mark("link: a frame of another ring is refused")
      return false
    }
    const addressed = header.receiverIncarnation
    if (addressed !== "" && addressed !== incarnation()) {
      this.#refusals.formerIncarnation++
      runtime.mark("link: a frame for a former incarnation is refused")
      // An empty frame tells the peer which incarnation of this node it should address.
      this.#publish(from, { _tag: "Whole", messages: new Uint8Array(0) })
      return false
    }
    return true
  }
}
