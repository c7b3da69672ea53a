/**
 * Publishes answers to clients over NATS. Answers to one client's batch in one turn leave as one
 * message; an answer that is larger than a message leaves in parts (`AnswerParts`), as far as its
 * client takes them.
 *
 * An answer that cannot be sent gives way to a shorter one, which says the same of the documents: a
 * read becomes an error, and a write that was carried out is said to be done, without its value.
 */
import { errorText } from "../../schemas/AnswerText.ts"
import { isObject } from "../core/model/CanonicalJson.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { ServiceFault, TransportService } from "../transport/Transport.ts"
import { AnswerParts, type AnswerPartsOptions } from "./AnswerParts.ts"

/** Where an answer goes. */
export interface ReplyTo {
  readonly subject: string
  /** Given back to the client, who tells answers apart by it. */
  readonly id: number | undefined
  /** Whether the request came in a batch, so that its answer leaves in one. */
  readonly isBatched: boolean
  /** Whether the request changed nothing, so that it can still be refused. */
  readonly isRead: boolean
  /** Bytes of the largest answer in parts that the client takes; 0 where it takes none. */
  readonly answerBytesMax: number
}

const integerIn = (json: unknown, field: "id" | "answerBytesMax"): number | undefined => {
  const value = isObject(json) ? json[field] : undefined
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined
}

/** Where the answer to a request goes, which says for itself how it is to be answered. */
export const replyTo = (
  { isBatched, isRead, subject }: Pick<ReplyTo, "subject" | "isBatched" | "isRead">,
  json: unknown
): ReplyTo => ({
  subject,
  isBatched,
  isRead,
  id: integerIn(json, "id"),
  answerBytesMax: integerIn(json, "answerBytesMax") ?? 0
})

/** An answer, and a shorter one for where it cannot be sent. */
export interface Reply {
  readonly text: string
  /** The error of a read that cannot be sent, unless there is another. */
  readonly shorter?: () => Reply
  /** Of an error that answers a request which came alone. */
  readonly fault?: ServiceFault
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

/** Headers with a code and a description of at most 200 characters. */
const faultBytesMax = 1_024

const encoder = new TextEncoder()

/** Bytes of a text: counted where it may matter, else at most three for each UTF-16 unit. */
const sizeOf = (text: string, room: number): number =>
  text.length * 3 <= room / 8 ? text.length * 3 : Buffer.byteLength(text)

export interface ReplyOutboxOptions extends AnswerPartsOptions {
  readonly runtime: AnswerPartsOptions["runtime"] & Pick<Runtime, "endOfTurn">
  readonly node: NodeId
  readonly limits: AnswerPartsOptions["limits"] & Pick<NodeLimits, "answerRefusedMillis">
}

export class ReplyOutbox {
  readonly #runtime: Pick<Runtime, "endOfTurn">
  readonly #transport: TransportService
  readonly #node: NodeId
  readonly #limits: ReplyOutboxOptions["limits"]
  readonly #parts: AnswerParts
  readonly #batches = new Map<string, Batch>()
  #isScheduled = false
  #refused = 0

  constructor(options: ReplyOutboxOptions) {
    const { limits, node, runtime, transport } = options
    this.#limits = limits
    this.#parts = new AnswerParts(options)
    this.#runtime = runtime
    this.#transport = transport
    this.#node = node
  }

  /** Reads that were refused when their answers were there. */
  refused(): number {
    return this.#refused
  }

  /** Bytes of answers that wait to be sent in parts, and answers in parts that were dropped. */
  get parts(): { readonly bytes: number; readonly dropped: number } {
    const { bytes, dropped } = this.#parts
    return { bytes, dropped }
  }

  /**
   * The answer to a read for whose answer there is no room: too many bytes are on their way to its
   * client, or to all. The node is at work, so nobody has a reason to avoid it.
   */
  congested(): Errors.Overloaded {
    const { answerRefusedMillis: retryAfterMillis } = this.#limits
    return new Errors.Overloaded({ node: this.#node, retryAfterMillis })
  }

  /** Whether an answer of so many bytes may follow those that are gathered for the same client. */
  hasRoom(subject: string, bytes = 1): boolean {
    const gathered = this.#batches.get(subject)?.size ?? 0
    return gathered + bytes <= (this.#transport.answerRoom?.(subject) ?? Infinity)
  }

  /** Sends an answer, at the end of this turn where its request came in a batch. */
  send(to: ReplyTo, { fault, shorter, text }: Reply): void {
    const room = this.#transport.maxPayload() - bracketBytes
    const size = sizeOf(text, room)
    if (size <= room) return this.#deliver(to, this.#roomFor(to, text, size), room, fault)
    const isTaken = size <= to.answerBytesMax
    if (isTaken && this.#parts.send(to, text)) return
    if (shorter !== undefined) return this.send(to, shorter())
    if (isTaken) this.#refused++
    const error = isTaken
      ? this.congested()
      : tooLarge(size, Math.max(room, to.answerBytesMax))
    this.#deliver(to, errorText(to.id, error), room)
  }

  #deliver(to: ReplyTo, text: string, room: number, fault?: ServiceFault): void {
    if (to.isBatched) return this.#gather(to.subject, text, room)
    // The broker counts headers too, and the text says the same where there is no room for them.
    const isShort = text.length * 3 + faultBytesMax <= room
    const data = encoder.encode(text)
    if (fault === undefined || !isShort) return this.#transport.publish(to.subject, data)
    this.#transport.publish(to.subject, data, undefined, undefined, fault)
  }

  /** The text, or the refusal of a read for which there is no room. */
  #roomFor(to: ReplyTo, text: string, size: number): string {
    if (!to.isRead || this.hasRoom(to.subject, size)) return text
    this.#refused++
    return errorText(to.id, this.congested())
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
}

const tooLarge = (bytes: number, bytesMax: number) =>
  new Errors.InvalidRequest({
    setting: "answer",
    value: `${bytes} bytes`,
    expected: `at most ${bytesMax} bytes, by the broker's max_payload and by answerBytesMax, which `
      + "asks for parts"
  })
