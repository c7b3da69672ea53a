/**
 * Bounds the bytes on their way to the broker, by the bytes that the broker has confirmed.
 *
 * A client library hides how much waits in it and in the socket below, and a frozen broker lets
 * both grow. NATS answers a PING after everything sent before it: so each confirmation covers the
 * bytes that were sent before its PING.
 *
 * Answers to clients have a part of the window, and share it: one address may hold as many bytes as
 * are free. So a client that reads nothing gets half of that part at most, many such clients leave
 * room for one more, and one that is alone is not held to a small fixed share.
 *
 * @see Choudhury and Hahne, Dynamic queue length thresholds for shared-memory packet switches, 1998
 */
import type { NatsLimits } from "../core/model/Limits.ts"

export type NatsWindowLimits = Pick<
  NatsLimits,
  "waitingBytesMax" | "waitingAnswerBytesMax" | "probeBytes"
>

type BytesByAddress = Map<string, number>

const addTo = (counts: BytesByAddress, address: string, bytes: number): void => {
  const sum = (counts.get(address) ?? 0) + bytes
  if (sum > 0) counts.set(address, sum)
  else counts.delete(address)
}

export class NatsWindow {
  readonly #limit: number
  readonly #answerLimit: number
  readonly #probeBytes: number
  readonly #probe: () => Promise<void>
  #waiting = 0
  #unprobed = 0
  #answers = 0
  /** Bytes of answers not confirmed; each address here has some. */
  #byAddress: BytesByAddress = new Map()
  #unprobedByAddress: BytesByAddress = new Map()
  #connection = 0

  /** `probe` sends a PING, and succeeds with its PONG. */
  constructor(
    { probeBytes, waitingAnswerBytesMax, waitingBytesMax }: NatsWindowLimits,
    probe: () => Promise<void>
  ) {
    this.#limit = waitingBytesMax
    this.#answerLimit = Math.min(waitingAnswerBytesMax, waitingBytesMax)
    this.#probeBytes = Math.min(probeBytes, this.#answerLimit / 4)
    this.#probe = probe
  }

  get isFull(): boolean {
    return this.#waiting >= this.#limit
  }

  /**
   * Whether an answer of any size may be sent, to any address: of so few bytes, no address can have
   * more than leave half of the part to it.
   */
  get isRoomy(): boolean {
    return !this.isFull && this.#answers <= this.#answerLimit / 4
  }

  /**
   * The bytes that an answer to this address may have now; 0 or less where none may be sent. An
   * answer of any size may be sent while half of the part of answers is left to its address.
   */
  answerRoom(address: string): number {
    const room = this.#answerLimit - this.#answers - (this.#byAddress.get(address) ?? 0)
    if (this.isFull) return 0
    // An answer takes its bytes from those that are free, and adds them to those of its address.
    return room >= this.#answerLimit / 2 ? Infinity : room / 2
  }

  /** Counts a message just sent; an answer with its address. */
  add(bytes: number, address?: string): void {
    this.#waiting += bytes
    this.#unprobed += bytes
    if (address !== undefined) {
      this.#answers += bytes
      addTo(this.#byAddress, address, bytes)
      addTo(this.#unprobedByAddress, address, bytes)
    }
    if (this.#unprobed < this.#probeBytes) return
    const covered = this.#unprobed
    const coveredByAddress = this.#unprobedByAddress
    const connection = this.#connection
    this.#unprobed = 0
    this.#unprobedByAddress = new Map()
    const confirm = (): void => {
      if (connection !== this.#connection) return
      this.#waiting -= covered
      for (const [reached, count] of coveredByAddress) {
        this.#answers -= count
        addTo(this.#byAddress, reached, -count)
      }
    }
    // A probe fails only with its connection, and `reset` then forgets the bytes that it covered.
    this.#probe().then(confirm, () => undefined)
  }

  /** Starts over with a new connection, on which nothing waits. */
  reset(): void {
    this.#connection++
    this.#waiting = 0
    this.#unprobed = 0
    this.#answers = 0
    this.#byAddress = new Map()
    this.#unprobedByAddress = new Map()
  }
}
