/**
 * Gathers the messages of one turn of the event loop into frames, one for each peer, or as few as
 * the broker's `max_payload` allows. A message that is larger than that is split, and kept for a
 * while, so that a receiver can ask for the parts that it misses.
 *
 * A message is written once, into the frame that carries it: messages begin behind room for the
 * longest header, and the header is written right before them when the frame leaves. The broker's
 * client reads a frame until the end of the turn, so buffers are used again after that.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import { ByteWriter } from "../core/codec/Bytes.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import * as Frame from "./Frame.ts"
import { writeMessage } from "./PeerMessageCodec.ts"
import { type PacedLimits, PacedParts } from "./PacedParts.ts"
import { indexesOf, partOf, type SentRun, transferOf } from "./SentRuns.ts"

export type OutboxLimits =
  & PacedLimits
  & Pick<NodeLimits, "frameBytesTarget" | "frameBufferBytes" | "spareBytesMax">

export interface PeerOutboxOptions {
  readonly runtime: Pick<Runtime, "after" | "elapsed" | "endOfTurn" | "mark">
  /** Bytes of the largest frame. */
  readonly frameBytesMax: () => number
  readonly ringDigest: () => string
  /** The header of a frame that leaves now. */
  readonly headerTo: (peer: NodeId) => Frame.FrameHeader
  /** Takes a frame, whose bytes stay as they are until the end of the turn. */
  readonly publish: (peer: NodeId, frame: Uint8Array) => void
  /** Calls back once the broker has all that was published, or cannot be reached. */
  readonly flush: (done: (reached: boolean) => void) => void
  readonly limits: OutboxLimits
}

export class PeerOutbox {
  readonly #options: PeerOutboxOptions
  /** The frame that is gathered for each peer, in the order of their first messages. */
  readonly #open = new Map<NodeId, ByteWriter>()
  /** Buffers that were published since the last end of a turn. */
  #published: Array<ByteWriter> = []
  /** Buffers that were published before that, and may be used again after the next one. */
  #resting: Array<ByteWriter> = []
  readonly #spare: Array<ByteWriter> = []
  #spareBytes = 0
  readonly #header = new ByteWriter(Frame.headerBytesMax)
  readonly #parts: PacedParts
  /** The peers that were sent something since they were last to be greeted. */
  readonly #sentTo = new Set<NodeId>()
  #scheduled = false
  #framesSent = 0
  #messagesSent = 0
  #partsResent = 0

  constructor(options: PeerOutboxOptions) {
    this.#options = options
    this.#parts = new PacedParts({
      ...options,
      sendPart: (run, index) => this.#sendPart(run, index),
      giveBack: (writer) => this.#spend(writer)
    })
  }

  get framesSent(): number {
    return this.#framesSent
  }

  get messagesSent(): number {
    return this.#messagesSent
  }

  /** Parts sent again because their receiver asked for them. */
  get partsResent(): number {
    return this.#partsResent
  }

  /** Bytes of messages in parts that wait for the broker, or are kept for such questions. */
  get keptBytes(): number {
    return this.#parts.bytes
  }

  /** Messages in parts that were given up because too much waited. */
  get abandonedRuns(): number {
    return this.#parts.abandoned
  }

  /** Sends at the end of this turn, with all else for the same peer. */
  send(to: NodeId, message: PeerMessage): void {
    const writer = this.#open.get(to) ?? this.#begin(to)
    const start = writer.length
    try {
      writeMessage(writer, message, this.#options.ringDigest())
    } catch (broken) {
      // The others of this frame do not suffer for it.
      writer.truncate(start)
      throw broken
    }
    this.#messagesSent++
    this.#schedule()
    const room = this.#room()
    const isFirst = start === Frame.headerBytesMax
    const open = isFirst || contentBytes(writer) <= room ? writer : this.#cut(to, writer, start)
    if (contentBytes(open) >= Math.min(this.#options.limits.frameBytesTarget, room)) {
      this.#close(to, open)
    }
  }

  /** Sends an empty frame at once, which says no more than its header: the usual, unless given. */
  greet(to: NodeId, header?: Frame.FrameHeader): void {
    this.#publish(to, this.#take(), Frame.headerBytesMax, header)
  }

  /** The same, unless something was sent to it since the last call; says whether it was sent. */
  greetUnlessSent(to: NodeId): boolean {
    if (this.#sentTo.delete(to)) return false
    this.greet(to)
    this.#sentTo.delete(to)
    return true
  }

  /** Asks a peer at once for parts that it sent and that did not come. */
  ask(to: NodeId, missing: Frame.MissingParts): void {
    const { headerTo, publish } = this.#options
    this.#framesSent++
    publish(to, Frame.encode(headerTo(to), { _tag: "Missing", ...missing }))
  }

  /** Sends the parts again that a peer misses, where their run is still kept. */
  resend(to: NodeId, missing: Frame.MissingParts): void {
    if (!this.#parts.resend(to, missing)) return
    this.#options.runtime.mark("link: missing parts are sent again")
    this.#partsResent += indexesOf(missing).length
  }

  /** Keeps nothing any more for the questions of receivers. */
  forget(): void {
    this.#parts.clear()
  }

  /** Sends gathered messages. */
  flush(): void {
    for (const [to, writer] of this.#open) this.#close(to, writer)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.runtime.endOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false
    // These were published before this task was scheduled: their turn has ended.
    for (const writer of this.#resting) this.#spend(writer)
    this.flush()
    this.#resting = this.#published
    this.#published = []
  }

  #begin(to: NodeId): ByteWriter {
    const writer = this.#take()
    this.#open.set(to, writer)
    return writer
  }

  /** An empty frame with room for its header. */
  #take(): ByteWriter {
    const writer = this.#spare.pop()
    const { frameBufferBytes } = this.#options.limits
    if (writer === undefined) return new ByteWriter(frameBufferBytes).skip(Frame.headerBytesMax)
    this.#spareBytes -= writer.capacity
    return writer.truncate(Frame.headerBytesMax)
  }

  #spend(writer: ByteWriter): void {
    if (this.#spareBytes + writer.capacity > this.#options.limits.spareBytesMax) return
    this.#spareBytes += writer.capacity
    this.#spare.push(writer)
  }

  /** Sends the messages that fit together, so that no more than the one that does not is split. */
  #cut(to: NodeId, writer: ByteWriter, end: number): ByteWriter {
    const last = this.#take().raw(writer.view(end))
    this.#open.set(to, last)
    this.#publish(to, writer, end)
    return last
  }

  #close(to: NodeId, writer: ByteWriter): void {
    this.#open.delete(to)
    const room = this.#room()
    const length = contentBytes(writer)
    if (length === 0) return this.#spend(writer)
    if (length <= room) return this.#publish(to, writer, writer.length)
    this.#options.runtime.mark("link: messages travel in parts")
    const content = writer.view(Frame.headerBytesMax)
    const transfer = transferOf(content)
    this.#parts.send({ to, transfer, count: Math.ceil(length / room), room, content, writer })
  }

  #sendPart(run: SentRun, index: number): void {
    const { headerTo, publish } = this.#options
    // A part has a header of its own, for which there is no room between it and the one before.
    this.#framesSent++
    publish(run.to, Frame.encode(headerTo(run.to), partOf(run, index)))
  }

  #publish(
    to: NodeId,
    writer: ByteWriter,
    end: number,
    fields = this.#options.headerTo(to)
  ): void {
    const header = this.#header.truncate(0)
    Frame.writeHeader(header, fields)
    const start = Frame.headerBytesMax - header.length
    writer.overwrite(start, header.view())
    this.#framesSent++
    this.#sentTo.add(to)
    this.#published.push(writer)
    this.#options.publish(to, writer.view(start, end))
  }

  /** Bytes of messages that one frame holds. */
  #room(): number {
    return this.#options.frameBytesMax() - Frame.headerBytesMax
  }
}

const contentBytes = (writer: ByteWriter): number => writer.length - Frame.headerBytesMax
