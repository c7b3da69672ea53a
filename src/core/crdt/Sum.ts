/**
 * Adds amounts without a limit: a number as long as it is exact, a bigint beyond. An amount that is
 * added and taken away again leaves no trace, so a counter does not wear out.
 *
 * A sum is written as a varint of any length, seven bits a byte, lowest first, with its sign in the
 * lowest bit: 0, -1, 1, -2 are 0, 1, 2, 3.
 */
import { type ByteReader, type ByteWriter, Malformed } from "../codec/Bytes.ts"
import { varintLength } from "../codec/EncodedLength.ts"

/** Invariant: a bigint only where a number would not be exact, so that equal sums are equal. */
export type Sum = number | bigint

/** Most bytes of a sum: 2^53 updates of 2^53 each take 107 bits, with the sign. */
const sumBytesMax = 16

const exactOf = (sum: bigint): Sum => {
  const value = Number(sum)
  return Number.isSafeInteger(value) ? value : sum
}

export const plus = (left: Sum, right: Sum): Sum => {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return exactOf(BigInt(left) + BigInt(right))
}

export const minus = (left: Sum, right: Sum): Sum => plus(left, -right)

/** Whether a number holds it exactly. */
export const isShowable = (sum: Sum): sum is number => typeof sum === "number"

/** The nearest number from -(2^53 - 1) to 2^53 - 1. */
export const shown = (sum: Sum): number => {
  if (isShowable(sum)) return sum
  return sum > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

/** Whether `left` is further from 0 than `right`. */
export const isFurther = (left: Sum, right: Sum): boolean =>
  (left < 0 ? -left : left) > (right < 0 ? -right : right)

/** Twice this and one more are exact too. */
const halfMax = 2 ** 51

export const writeSum = (writer: ByteWriter, sum: Sum): ByteWriter => {
  if (typeof sum === "number" && Math.abs(sum) <= halfMax) {
    return writer.varint(sum < 0 ? -2 * sum - 1 : 2 * sum)
  }
  const exact = BigInt(sum)
  let rest = exact < 0n ? -2n * exact - 1n : 2n * exact
  for (; rest >= 0x80n; rest >>= 7n) writer.byte(Number(rest & 0x7fn) | 0x80)
  return writer.byte(Number(rest))
}

/** Bytes that `writeSum` takes. */
export const lengthOfSum = (sum: Sum): number => {
  if (typeof sum === "number" && Math.abs(sum) <= halfMax) {
    return varintLength(sum < 0 ? -2 * sum - 1 : 2 * sum)
  }
  const exact = BigInt(sum)
  let length = 1
  for (let rest = exact < 0n ? -2n * exact - 1n : 2n * exact; rest >= 0x80n; rest >>= 7n) length++
  return length
}

/** The sum of a number that has its sign in the lowest bit. */
const signed = (value: number): Sum => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

/** Bytes whose bits a number holds exactly, doubled and signed. */
const numberBytes = 7

/** Throws `Malformed`, also where it is not in its shortest form. */
export const readSum = (reader: ByteReader, expected: string): Sum => {
  const at = reader.offset
  let low = 0
  let scale = 1
  let high = 0n
  for (let count = 0; count < sumBytesMax; count++) {
    const byte = reader.byte(expected)
    const bits = byte & 0x7f
    if (count < numberBytes) low += bits * scale
    else high |= BigInt(bits) << BigInt(7 * count)
    scale *= 0x80
    if (byte >= 0x80) continue
    if (byte === 0 && count > 0) break
    if (count < numberBytes) return signed(low)
    const all = high | BigInt(low)
    return exactOf((all & 1n) === 0n ? all >> 1n : -(all >> 1n) - 1n)
  }
  throw new Malformed(`${expected} in its shortest form, of at most ${sumBytesMax} bytes`, at)
}
