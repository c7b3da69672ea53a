/**
 * Keeps the bytes of many rows in a few large pieces of memory, which are forgotten together: an
 * object for each row would have the garbage collector pass all of them again and again.
 */

/** A longer row has a piece of its own. */
const pieceBytes = 64 * 1024

/** A row's number (8 bytes), and its length (4). */
const headBytes = 12

export interface KeptRow {
  readonly number: number
  readonly bytes: Uint8Array
}

interface Piece {
  readonly bytes: Uint8Array
  readonly view: DataView
}

const newPiece = (length: number): Piece => {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}

export class RowMemory {
  readonly #pieces: Array<Piece> = []
  #last = newPiece(0)
  #used = 0

  /** Copies a row and a number with it, and returns the place of both. */
  put(bytes: Uint8Array, number = 0): number {
    const length = headBytes + bytes.length
    if (length > this.#last.bytes.length - this.#used) {
      this.#last = newPiece(Math.max(pieceBytes, length))
      this.#pieces.push(this.#last)
      this.#used = 0
    }
    const start = this.#used
    this.#last.view.setFloat64(start, number)
    this.#last.view.setUint32(start + 8, bytes.length)
    this.#last.bytes.set(bytes, start + headBytes)
    this.#used += length
    return (this.#pieces.length - 1) * pieceBytes + start
  }

  /** A view of what was put at a place. */
  at(place: number): KeptRow {
    const start = place % pieceBytes
    const { bytes, view } = this.#pieces[Math.floor(place / pieceBytes)]!
    const first = start + headBytes
    const end = first + view.getUint32(start + 8)
    return { number: view.getFloat64(start), bytes: bytes.subarray(first, end) }
  }

  /** A copy of a row that may be kept as long as this memory. */
  keep(bytes: Uint8Array | undefined): Uint8Array | undefined {
    return bytes === undefined ? undefined : this.at(this.put(bytes)).bytes
  }
}
