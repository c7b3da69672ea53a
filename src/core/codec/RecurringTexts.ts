/**
 * Remembers short texts that were read lately, so that a text which recurs is made once: names of
 * buckets, sessions and actors stand in nearly every message. Texts that are one object are equal
 * at a look, and their hashes are known.
 */

/** Longer texts are values, which do not recur. */
const longest = 100

/** Each is one slot of a table, so that memory is bounded; a power of two. */
const slots = 256

export class RecurringTexts {
  readonly #texts: Array<string> = Array.from({ length: slots }, () => "")

  /** The text in ASCII that stands there, where it is remembered. */
  find(bytes: Uint8Array, start: number, count: number): string | undefined {
    if (count === 0 || count > longest) return undefined
    const text = this.#texts[slotOf(bytes, start, count)]!
    if (text.length !== count) return undefined
    // The ends of names differ more than their beginnings.
    for (let i = count - 1; i >= 0; i--) {
      const byte = bytes[start + i]!
      if (byte > 0x7f || byte !== text.charCodeAt(i)) return undefined
    }
    return text
  }

  /** Remembers a text in ASCII that stands there, in place of another. */
  keep(text: string, bytes: Uint8Array, start: number): void {
    if (text === "" || text.length > longest) return
    this.#texts[slotOf(bytes, start, text.length)] = text
  }
}

const slotOf = (bytes: Uint8Array, start: number, count: number): number => {
  const last = start + count - 1
  const mixed = count * 7 + bytes[last]! * 31 + bytes[last - (count >> 2)]! * 17
    + bytes[start + (count >> 1)]!
  return mixed & (slots - 1)
}
