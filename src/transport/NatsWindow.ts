/**
 * Bounds the bytes on their way to the broker, by the bytes that the broker has confirmed.
 *
 * A client library hides how much waits in it and in the socket below, and a frozen broker lets
 * both grow. NATS answers a PING after everything sent before it: so each confirmation covers the
 * bytes that were sent before its PING.
 */
import type { NatsLimits } from "../core/model/Limits.ts"

export class NatsWindow {
  readonly #limit: number
  readonly #probeBytes: number
  readonly #probe: () => Promise<void>
  #waiting = 0
  #unprobed = 0
  #connection = 0

  /** `probe` sends a PING, and succeeds with its PONG. */
  constructor(
    { probeBytes, waitingBytesMax }: Pick<NatsLimits, "waitingBytesMax" | "probeBytes">,
    probe: () => Promise<void>
  ) {
    this.#limit = waitingBytesMax
    this.#probeBytes = Math.min(probeBytes, waitingBytesMax / 4)
    this.#probe = probe
  }

  get isFull(): boolean {
    return this.#waiting >= this.#limit
  }

  /** Counts a message just sent. */
  add(bytes: number): void {
    this.#waiting += bytes
    this.#unprobed += bytes
    if (this.#unprobed < this.#probeBytes) return
    const covered = this.#unprobed
    const connection = this.#connection
    this.#unprobed = 0
    const confirm = (): void => {
      if (connection === this.#connection) this.#waiting -= covered
    }
    // A probe fails only with its connection, and `reset` then forgets the bytes that it covered.
    this.#probe().then(confirm, () => undefined)
  }

  /** Starts over with a new connection, on which nothing waits. */
  reset(): void {
    this.#connection++
    this.#waiting = 0
    this.#unprobed = 0
  }
}
