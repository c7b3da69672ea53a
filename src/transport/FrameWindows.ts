/**
 * Knows the frames again that have been taken, so that a repeat costs next to nothing: it is known
 * by its sender's incarnation and its number, from fixed places of bytes that nobody has decoded.
 *
 * Of each incarnation of a sender the last numbers are remembered; a frame that is older than all
 * of them counts as lost. Only frames that are proved change this memory.
 *
 * @see Internet Engineering Task Force, RFC 4303, section 3.4.3: the window of IPsec
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import { isOfIncarnation, numberIn } from "./Frame.ts"

export type FrameWindowLimits = Pick<NodeLimits, "frameWindow" | "frameWindowsMax">

/** The numbers of one incarnation. */
export class FrameWindow {
  readonly #size: number
  /** A bit for each of the last numbers, by their remainders. */
  readonly #bits: Uint8Array
  #greatest = -1

  constructor(size: number) {
    this.#size = size
    this.#bits = new Uint8Array(Math.ceil(size / 8))
  }

  get bytes(): number {
    return this.#bits.length
  }

  /** Whether a number is neither taken nor older than all that are remembered. */
  isNew(number: number): boolean {
    if (number > this.#greatest) return true
    return number > this.#greatest - this.#size && !this.#has(number % this.#size)
  }

  take(number: number): void {
    const first = Math.max(this.#greatest, number - this.#size) + 1
    for (let passed = first; passed < number; passed++) this.#clear(passed % this.#size)
    this.#greatest = Math.max(this.#greatest, number)
    const place = number % this.#size
    this.#bits[place >> 3]! |= 1 << (place & 7)
  }

  #has(place: number): boolean {
    return (this.#bits[place >> 3]! >> (place & 7) & 1) === 1
  }

  #clear(place: number): void {
    this.#bits[place >> 3]! &= ~(1 << (place & 7))
  }
}

interface Known {
  readonly incarnation: string
  readonly window: FrameWindow
}

/** Of a window and its place among the others, roughly. */
const overheadBytes = 200

export class FrameWindows {
  readonly #limits: FrameWindowLimits
  /** The incarnations of each sender, the one heard last in front. */
  readonly #senders = new Map<NodeId, Array<Known>>()
  #bytes = 0

  constructor(limits: FrameWindowLimits) {
    this.#limits = limits
  }

  /** Bytes of all windows. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Whether bytes that claim to be a frame of this sender name one that was taken, or that is too
   * old. Changes nothing.
   */
  isRepeat(from: NodeId, bytes: Uint8Array): boolean {
    const known = this.#senders.get(from)?.find(({ incarnation }) =>
      isOfIncarnation(bytes, incarnation)
    )
    return known !== undefined && !known.window.isNew(numberIn(bytes))
  }

  /** Notes a frame that is proved. **Requires** that it is no repeat. */
  take(from: NodeId, incarnation: string, number: number): void {
    const known = this.#senders.get(from) ?? []
    this.#senders.set(from, known)
    const place = known.findIndex((other) => other.incarnation === incarnation)
    if (place === -1) this.#begin(known, incarnation)
    else if (place > 0) known.unshift(...known.splice(place, 1))
    known[0]!.window.take(number)
  }

  /** Forgets senders that are no members any more. */
  retain(isMember: (node: NodeId) => boolean): void {
    for (const [node, known] of this.#senders) {
      if (isMember(node)) continue
      this.#senders.delete(node)
      for (const { window } of known) this.#bytes -= window.bytes + overheadBytes
    }
  }

  #begin(known: Array<Known>, incarnation: string): void {
    const window = new FrameWindow(this.#limits.frameWindow)
    known.unshift({ incarnation, window })
    this.#bytes += window.bytes + overheadBytes
    if (known.length <= this.#limits.frameWindowsMax) return
    known.pop()
    this.#bytes -= window.bytes + overheadBytes
  }
}
