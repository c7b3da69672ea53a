/**
 * Publishes answers to clients over NATS. Answers to one client's batch in one turn leave as one
 * message; an answer that the broker would not take becomes the error that says so.
 */
import { errorText } from "../../schemas/ClientAnswer.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { TransportService } from "../transport/Transport.ts"

/** Where an answer goes. */
export interface ReplyTo {
  readonly subject: string
  /** Given back to the client, who tells answers apart by it. */
  readonly id: number | undefined
  /** Whether the request came in a batch, so that its answer leaves in one. */
  readonly isBatched: boolean
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

export class ReplyOutbox {
  readonly #runtime: Pick<Runtime, "endOfTurn">
  readonly #transport: TransportService
  readonly #batches = new Map<string, Batch>()
  #isScheduled = false

  constructor(runtime: Pick<Runtime, "endOfTurn">, transport: TransportService) {
    this.#runtime = runtime
    this.#transport = transport
  }

  /** Sends an answer, at the end of this turn where its request came in a batch. */
  send(to: ReplyTo, text: string): void {
    const room = this.#transport.maxPayload() - bracketBytes
    const size = sizeOf(text, room)
    const fitting = size <= room ? text : errorText(to.id, tooLarge(size, room))
    if (to.isBatched) this.#gather(to.subject, fitting, room)
    else this.#publish(to.subject, fitting)
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
