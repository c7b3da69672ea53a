/**
 * Cuts the bytes of a connection so that no piece ends more than one request. Node's parser begins
 * every request in the bytes that it is given: thousands, where a client sends them without waiting
 * for answers. What it is not given waits unread.
 */

const blankLine = "\r\n\r\n"

/** Bytes of a blank line that may have come before the rest of it. */
const rememberedBytes = blankLine.length - 1

export class RequestSlices {
  readonly #chunks: Array<Buffer> = []
  /** The end of the piece before, where it may be the beginning of a blank line. */
  #last = Buffer.alloc(0)

  /** Whether all that came was taken. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk)
  }

  clear(): void {
    this.#chunks.length = 0
  }

  /**
   * The next piece: of a body with a length at most its rest, else up to the next blank line. One
   * ends each head, and each body in chunks.
   */
  take(bodyRest: number): Buffer | undefined {
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return undefined
    const end = bodyRest > 0 ? Math.min(bodyRest, chunk.length) : this.#endIn(chunk)
    if (end < chunk.length) this.#chunks.unshift(chunk.subarray(end))
    return chunk.subarray(0, end)
  }

  #endIn(chunk: Buffer): number {
    const head = Buffer.concat([this.#last, chunk.subarray(0, rememberedBytes)])
    const across = head.indexOf(blankLine)
    const at = across >= 0 ? across - this.#last.length : chunk.indexOf(blankLine)
    if (at + blankLine.length > 0 && (across >= 0 || at >= 0)) {
      this.#last = Buffer.alloc(0)
      return at + blankLine.length
    }
    const seen = Buffer.concat([this.#last, chunk.subarray(-rememberedBytes)])
    this.#last = seen.subarray(-rememberedBytes)
    return chunk.length
  }
}
