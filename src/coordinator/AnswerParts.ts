/**
 * Sends answers in parts that are larger than a message of the broker, no faster than the broker
 * takes them, and no more of them than the window of answers has room for.
 *
 * Clients take turns, part by part. The answers to one client go one after the other, so that it
 * has few of them half at a time.
 */
import { headerBytesMax, headerLine } from "../../schemas/AnswerPart.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import { replyAddress } from "../transport/Subjects.ts"
import type { TransportService } from "../transport/Transport.ts"

export interface AnswerPartsOptions {
  readonly runtime: Pick<Runtime, "after" | "elapsed" | "id">
  readonly transport: TransportService
  readonly limits: Pick<
    NodeLimits,
    | "answersWaitingBytesMax"
    | "answerStallMillis"
    | "answerRetryMillis"
    | "partsInFlightBytesMax"
  >
}

/** An answer on its way. */
interface Run {
  readonly subject: string
  readonly id: number | undefined
  readonly name: string
  readonly bytes: Uint8Array
  /** Bytes of the answer in each part but the last. */
  readonly pieceBytes: number
  readonly count: number
  sent: number
  /** When its last part was sent, or it was its turn. */
  movedAt: number
}

const encoder = new TextEncoder()

export class AnswerParts {
  readonly #options: AnswerPartsOptions
  /** Begins the names of runs: no other node, or incarnation, has it. */
  readonly #session: string
  /** By client, whose first run sends the next part; the first client is the next. */
  readonly #waiting = new Map<string, Array<Run>>()
  readonly #bytesOf = new Map<string, number>()
  #bytes = 0
  #runs = 0
  #dropped = 0
  #inFlight = 0
  /** Waits until the broker has all that was sent. */
  #isFlushing = false
  /** Tries again in a while, since there was no room. */
  #isRetrying = false

  constructor(options: AnswerPartsOptions) {
    this.#options = options
    this.#session = options.runtime.id()
  }

  /** Bytes of answers that wait to be sent, or of which parts do. */
  get bytes(): number {
    return this.#bytes
  }

  /** Answers that were dropped because no part of them could be sent for too long. */
  get dropped(): number {
    return this.#dropped
  }

  /** Sends an answer; false where too much waits already: then nothing of it is sent. */
  send(to: Pick<Run, "id" | "subject">, text: string): boolean {
    const { id, subject } = to
    const { limits, runtime, transport } = this.#options
    const bytes = encoder.encode(text)
    const address = replyAddress(subject)
    const own = this.#bytesOf.get(address) ?? 0
    const isTooMuch = this.#bytes + own + bytes.length > limits.answersWaitingBytesMax
    if (isTooMuch && this.#bytes > 0) return false
    const pieceBytes = Math.max(1, transport.maxPayload() - headerBytesMax)
    const run: Run = {
      subject,
      id,
      name: `${this.#session}-${++this.#runs}`,
      bytes,
      pieceBytes,
      count: Math.ceil(bytes.length / pieceBytes),
      sent: 0,
      movedAt: runtime.elapsed()
    }
    const runs = this.#waiting.get(address)
    if (runs === undefined) this.#waiting.set(address, [run])
    else runs.push(run)
    this.#count(address, bytes.length)
    this.#proceed()
    return true
  }

  #count(address: string, bytes: number): void {
    this.#bytes += bytes
    const own = (this.#bytesOf.get(address) ?? 0) + bytes
    if (own > 0) this.#bytesOf.set(address, own)
    else this.#bytesOf.delete(address)
  }

  /** Sends parts until there is none, or no room. */
  #proceed(): void {
    let withoutRoom = 0
    while (!this.#isFlushing && this.#waiting.size > 0) {
      if (withoutRoom >= this.#waiting.size) return this.#retry()
      const [address, runs] = this.#waiting.entries().next().value!
      this.#waiting.delete(address)
      const run = runs[0]!
      const hasMoved = this.#sendPart(run)
      withoutRoom = hasMoved ? 0 : withoutRoom + 1
      const isOver = run.sent === run.count || this.#isStalled(run)
      if (isOver) this.#end(address, runs)
      if (runs.length > 0) this.#waiting.set(address, runs)
      if (this.#inFlight >= this.#options.limits.partsInFlightBytesMax) this.#flush()
    }
  }

  /** Sends the next part of an answer, where there is room for it. */
  #sendPart(run: Run): boolean {
    const { runtime, transport } = this.#options
    const { bytes, count: of, id, name, pieceBytes, sent, subject } = run
    const line = headerLine({ part: sent + 1, of, run: name, ...id === undefined ? {} : { id } })
    const piece = bytes.subarray(sent * pieceBytes, (sent + 1) * pieceBytes)
    const message = Buffer.allocUnsafe(line.length + piece.length)
    const taken = message.length + headerBytesMax + subject.length
    if (taken > (transport.answerRoom?.(subject) ?? Infinity)) return false
    message.write(line, "latin1")
    message.set(piece, line.length)
    transport.publish(subject, message)
    run.sent++
    run.movedAt = runtime.elapsed()
    this.#inFlight += message.length
    return true
  }

  #isStalled({ movedAt }: Run): boolean {
    const { limits, runtime } = this.#options
    const isStalled = runtime.elapsed() - movedAt > limits.answerStallMillis
    if (isStalled) this.#dropped++
    return isStalled
  }

  /** Ends the first run of a client; the next one's time begins. */
  #end(address: string, runs: Array<Run>): void {
    const run = runs.shift()
    if (run !== undefined) this.#count(address, -run.bytes.length)
    if (runs[0] !== undefined) runs[0].movedAt = this.#options.runtime.elapsed()
  }

  #flush(): void {
    this.#isFlushing = true
    this.#options.transport.flush((reached) => {
      this.#isFlushing = false
      this.#inFlight = 0
      // Without a connection the parts are lost, and clients ask again once there is one.
      if (!reached) this.#clear()
      this.#proceed()
    })
  }

  #clear(): void {
    for (const runs of this.#waiting.values()) this.#dropped += runs.length
    this.#waiting.clear()
    this.#bytesOf.clear()
    this.#bytes = 0
  }

  #retry(): void {
    if (this.#isRetrying) return
    this.#isRetrying = true
    const { limits: { answerRetryMillis }, runtime } = this.#options
    runtime.after(answerRetryMillis, () => {
      this.#isRetrying = false
      this.#proceed()
    })
  }
}
