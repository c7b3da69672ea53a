/**
 * Gathers what the bare pipeline sends to one subject in a turn into one NATS message, and reads it
 * back.
 */
import type { NatsConnection } from "@nats-io/transport-node"

export type Kind = "put" | "get" | "store" | "fetch" | "answer"

const kinds: ReadonlyArray<Kind> = ["put", "get", "store", "fetch", "answer"]

export interface Message {
  readonly kind: Kind
  /** By which the sender knows the answer. */
  readonly id: number
  /** The subject that gets the answer. */
  readonly from: string
  readonly key: string
  /** Empty where there is none. */
  readonly value: Uint8Array
}

export const nothing = new Uint8Array(0)

/** Kind, id, lengths of sender, key and value. */
const headBytes = 11

/** So many frames are cut from one buffer: NATS reads them later, so none is overwritten. */
const chunkBytes = 256 * 1024

class Gathered {
  #bytes = Buffer.allocUnsafeSlow(chunkBytes)
  #start = 0
  #end = 0

  add({ from, id, key, kind, value }: Message): void {
    const length = headBytes + from.length + key.length + value.length
    if (this.#end + length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(chunkBytes, 2 * (this.length + length)))
      this.#bytes.copy(larger, 0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
      this.#bytes = larger
    }
    const bytes = this.#bytes
    let at = bytes.writeUInt8(kinds.indexOf(kind), this.#end)
    at = bytes.writeUInt32LE(id, at)
    at = bytes.writeUInt8(from.length, at)
    at = bytes.writeUInt8(key.length, at)
    at = bytes.writeUInt32LE(value.length, at)
    at += bytes.write(from, at, "latin1")
    at += bytes.write(key, at, "latin1")
    bytes.set(value, at)
    this.#end += length
  }

  take(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#start, this.#end)
    this.#start = this.#end
    return bytes
  }

  get length(): number {
    return this.#end - this.#start
  }
}

/** No frame is longer than what a broker takes by default. */
const frameBytesMax = 512 * 1024

export class Outbox {
  readonly #connection: NatsConnection
  readonly #waiting = new Map<string, Gathered>()
  #isScheduled = false

  constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  send(subject: string, message: Message): void {
    let gathered = this.#waiting.get(subject)
    if (gathered === undefined) {
      gathered = new Gathered()
      this.#waiting.set(subject, gathered)
    }
    if (gathered.length + message.value.length > frameBytesMax) this.#publish(subject, gathered)
    gathered.add(message)
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      for (const [subject, gathered] of this.#waiting) this.#publish(subject, gathered)
    })
  }

  #publish(subject: string, gathered: Gathered): void {
    if (gathered.length > 0) this.#connection.publish(subject, gathered.take())
  }
}

/** Calls `take` for each message of the frame; values are views on it. */
export const readFrame = (frame: Uint8Array, take: (message: Message) => void): void => {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length)
  let at = 0
  while (at < bytes.length) {
    const kind = kinds[bytes.readUInt8(at)]!
    const id = bytes.readUInt32LE(at + 1)
    const fromEnd = at + headBytes + bytes.readUInt8(at + 5)
    const keyEnd = fromEnd + bytes.readUInt8(at + 6)
    const end = keyEnd + bytes.readUInt32LE(at + 7)
    const from = bytes.toString("latin1", at + headBytes, fromEnd)
    const key = bytes.toString("latin1", fromEnd, keyEnd)
    take({ kind, id, from, key, value: bytes.subarray(keyEnd, end) })
    at = end
  }
}
