/**
 * Says how many bytes `ByteWriter` takes for a value, without writing it.
 */

/** Of an integer from 0 to 2^53 - 1. */
export const varintLength = (value: number): number => {
  let length = 1
  let rest = value
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 0x80)) length++
  for (; rest >= 0x80; rest >>>= 7) length++
  return length
}

/** Of a text as UTF-8, with its length before it. */
export const textLength = (text: string): number => {
  const bytes = Buffer.byteLength(text)
  return varintLength(bytes) + bytes
}
