/**
 * Publishes answers to clients over NATS. Answers to one client's batch in one turn leave as one
 * message; an answer that the broker would not take becomes the error that says so. So does the
 * answer of a read for which too much waits on the way to its client.
 */
import { errorText } from "../../schemas/ClientAnswer.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { TransportService } from "../transport/Transport.ts"

/** Where an answer goes. */
export interface ReplyTo {
  readonly subject: string
  /** Given back to the client, who tells answers apart by it. */
  readonly id: number | undefined
  /** Whether the request came in a batch, so that its answer leaves in one. */
  readonly isBatched: boolean
  /** Whether the request changed nothing, so that it can still be refused. */
  readonly isRead: boolean
}

/** Answers gathered for one client in this turn. */
interface Batch {
  readonly texts: Array<string>
  /** Bytes, at most. */
  size: number
}

/** Around the answers of one message. */
const bracketBytes = 2
const [openBracket, comma, closeBracket] = [0x5b, 0x2c, 0x5d] as const

const encoder = new TextEncoder()

/** Bytes of a text: counted where it may matter, else at most three for each UTF-16 unit. */
const sizeOf = (text: string, room: number): number =>
  text.length * 3 <= room / 8 ? text.length * 3 : Buffer.byteLength(text)

export interface ReplyOutboxOptions {
  readonly runtime: Pick<Runtime, "endOfTurn">
  readonly transport: TransportService
  readonly node: NodeId
}

/** Nothing was changed, and another node may have room for the answer. */
export const congested = (node: NodeId): Errors.NodeUnavailable =>
  new Errors.NodeUnavailable({
    node,
    reason: "too many bytes of answers are on their way to this client"
  })

export class ReplyOutbox {
  readonly #runtime: Pick<Runtime, "endOfTurn">
  readonly #transport: TransportService
  readonly #node: NodeId
  readonly #batches = new Map<string, Batch>()
  #isScheduled = false
  #refused = 0

  constructor({ node, runtime, transport }: ReplyOutboxOptions) {
    this.#runtime = runtime
    this.#transport = transport
    this.#node = node
  }

  /** Reads that were refused when their answers were there. */
  refused(): number {
    return this.#refused
  }

  /** Whether an answer of so many bytes may follow those that are gathered for the same client. */
  hasRoom(subject: string, bytes = 1): boolean {
    const gathered = this.#batches.get(subject)?.size ?? 0
    return gathered + bytes <= (this.#transport.answerRoom?.(subject) ?? Infinity)
  }

  /** Sends an answer, at the end of this turn where its request came in a batch. */
  send(to: ReplyTo, text: string): void {
    const room = this.#transport.maxPayload() - bracketBytes
    const size = sizeOf(text, room)
    const fitting = this.#fitting(to, text, { size, room })
    if (to.isBatched) this.#gather(to.subject, fitting, room)
    else this.#publish(to.subject, fitting)
  }

  #fitting(
    to: ReplyTo,
    text: string,
    { room, size }: { readonly size: number; readonly room: number }
  ): string {
    if (size > room) return errorText(to.id, tooLarge(size, room))
    if (!to.isRead || this.hasRoom(to.subject, size)) return text
    this.#refused++
    return errorText(to.id, congested(this.#node))
  }

  #gather(subject: string, text: string, room: number): void {
    const size = sizeOf(text, room) + 1
    const full = this.#batches.get(subject)
    if (full !== undefined && full.size + size > room) this.#flush(subject, full)
    const batch = this.#batches.get(subject) ?? { texts: [], size: 0 }
    this.#batches.set(subject, batch)
    batch.texts.push(text)
    batch.size += size
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#runtime.endOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#isScheduled = false
    for (const [to, gathered] of this.#batches) this.#flush(to, gathered)
  }

  #flush(subject: string, { texts }: Batch): void {
    this.#batches.delete(subject)
    if (texts.length === 0) return
    let bytes = bracketBytes + texts.length - 1
    for (const text of texts) bytes += Buffer.byteLength(text)
    const message = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const text of texts) {
      message[at] = at === 0 ? openBracket : comma
      at += 1 + message.write(text, at + 1)
    }
    message[at] = closeBracket
    this.#transport.publish(subject, message)
  }

  #publish(subject: string, text: string): void {
    this.#transport.publish(subject, encoder.encode(text))
  }
}

const tooLarge = (bytes: number, room: number) =>
  new Errors.InvalidRequest({
    setting: "answer",
    value: `${bytes} bytes`,
    expected: `at most ${room} bytes, by the broker's max_payload`
  })
