/**
 * Gathers what is said to one client, so that a turn costs one write, not one for each message.
 *
 * Control lines and small bodies are copied one after another into a block; large bodies are sent
 * as they are. A block is written piece by piece until it is full, and never written over.
 */
import type { Socket } from "node:net"
import type { BrokerLimits } from "../../core/model/Limits.ts"

type OutboxLimits = Pick<BrokerLimits, "blockBytes" | "copiedBytesMax">

export class Outbox {
  readonly #socket: Socket
  readonly #limits: OutboxLimits
  #block = Buffer.alloc(0)
  /** Of `#block`, `#start` to `#end` is not yet written to the socket. */
  #start = 0
  #end = 0
  /** Bytes that come before that. */
  #parts: Array<Uint8Array> = []
  #gathered = 0

  constructor(socket: Socket, limits: OutboxLimits) {
    this.#socket = socket
    this.#limits = limits
  }

  /** Bytes that the client has not taken yet. */
  get waiting(): number {
    return this.#gathered + this.#socket.writableLength
  }

  /** Bytes that wait for `flush`. */
  get gathered(): number {
    return this.#gathered
  }

  /** Adds a control line, which ends with its line end. */
  line(text: string): void {
    this.#reserve(text.length)
    this.#end += this.#block.write(text, this.#end, "latin1")
    this.#gathered += text.length
  }

  /** Adds a control line with a body and the line end after it. */
  message(head: string, body: Uint8Array): void {
    this.line(head)
    if (body.length > this.#limits.copiedBytesMax) {
      this.#seal()
      this.#parts.push(body)
    } else {
      this.#reserve(body.length)
      this.#block.set(body, this.#end)
      this.#end += body.length
    }
    this.#gathered += body.length
    this.line("\r\n")
  }

  /** Hands everything gathered to the socket. */
  flush(): void {
    this.#seal()
    const parts = this.#parts
    this.#parts = []
    this.#gathered = 0
    if (parts.length > 1) this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    if (parts.length > 1) this.#socket.uncork()
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#block.length) return
    this.#seal()
    this.#block = Buffer.allocUnsafeSlow(Math.max(this.#limits.blockBytes, bytes))
    this.#start = 0
    this.#end = 0
  }

  #seal(): void {
    if (this.#start === this.#end) return
    this.#parts.push(this.#block.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}
