/**
 * Encodes the keys of rows beside documents, so that their bytes have the order of their fields.
 *
 * ```
 * text   = its UTF-8 bytes, then 0
 * number = how many bytes it takes (0 to 7), then these, the highest first
 * ```
 *
 * No field's bytes are the beginning of another's. So the keys under some first fields are those
 * that begin with their bytes. An encoding is text in memory, a character for each byte: maps take
 * it for a key, and `<` has the order of SQLite's blobs.
 */
import { invariant } from "../core/Invariant.ts"
import type { Family, FamilyKeys } from "./Storage.ts"

type Field = string | number

/** The types of the fields of each family. */
const shapes: Readonly<Record<Family, ReadonlyArray<"text" | "number">>> = {
  hint: ["text", "number"],
  leaf: ["number", "number"],
  index: ["text", "text", "number", "text", "text"],
  operation: ["number", "number"],
  metadata: ["text"]
}

/** In files: numbers may be added, and never change. 0 is the storage's own. */
export const familyNumbers: Readonly<Record<Family, number>> = {
  hint: 1,
  leaf: 2,
  index: 3,
  operation: 4,
  metadata: 5
}

export const families: ReadonlyArray<Family> = ["hint", "leaf", "index", "operation", "metadata"]

const encodeNumber = (value: number): string => {
  invariant(Number.isSafeInteger(value) && value >= 0, "numbers of keys are integers from 0")
  // Of these lengths most are, and a text that is made at once is flat: maps hash it without
  // joining parts.
  if (value < 2 ** 16) {
    if (value >= 2 ** 8) return String.fromCharCode(2, value >>> 8, value & 0xff)
    return value === 0 ? "\0" : String.fromCharCode(1, value)
  }
  const high = Math.floor(value / 2 ** 32)
  const low = value >>> 0
  const [first, second, third] = [low >>> 24, (low >>> 16) & 0xff, (low >>> 8) & 0xff]
  if (high === 0 && first > 0) return String.fromCharCode(4, first, second, third, low & 0xff)
  if (high > 0 && high < 2 ** 8) {
    return String.fromCharCode(5, high, first, second, third, low & 0xff)
  }
  let bytes = ""
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) {
    bytes = String.fromCharCode(rest % 256) + bytes
  }
  return String.fromCharCode(bytes.length) + bytes
}

const encodeText = (value: string): string => {
  invariant(value.isWellFormed() && !value.includes("\0"), "keys hold well-formed text without 0")
  return `${Buffer.from(value).toString("latin1")}\0`
}

/** The first fields of a key, or all of them. */
const encodeFields = (family: Family, fields: ReadonlyArray<Field>): string => {
  const shape = shapes[family]
  let encoded = ""
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!
    const isNumber = typeof field === "number"
    invariant(
      (isNumber ? "number" : "text") === shape[i],
      "the fields of a key are those of its family"
    )
    encoded += isNumber ? encodeNumber(field) : encodeText(field)
  }
  return encoded
}

export const encodeKey = <F extends Family>(family: F, key: FamilyKeys[F]): string => {
  invariant(key.length === shapes[family].length, "a key has all fields of its family")
  return encodeFields(family, key)
}

/** The keys that begin with these fields, and have more, lie between the two. */
export const rangeUnder = (
  family: Family,
  fields: ReadonlyArray<Field>
): { readonly from: string; readonly before: string } => {
  invariant(fields.length < shapes[family].length, "a range is under some of its keys' fields")
  const from = encodeFields(family, fields)
  return { from, before: `${from}\xff` }
}

/** The fields of a key; undefined where a disk made these bytes up. */
export const decodeKey = <F extends Family>(
  family: F,
  encoded: string
): FamilyKeys[F] | undefined => {
  const fields: Array<Field> = []
  let at = 0
  for (const shape of shapes[family]) {
    const end = shape === "text"
      ? encoded.indexOf("\0", at) + 1
      : at + 1 + (encoded.charCodeAt(at) || 0)
    if (end === 0) return undefined
    const part = encoded.slice(at, end)
    fields.push(shape === "text" ? decodeText(part) : decodeNumber(part))
    at = end
  }
  // Only what is read as it is written is a key: of the right length, in UTF-8, without a zero.
  return isKey(family, fields) && encodeKey(family, fields) === encoded ? fields : undefined
}

const isKey = <F extends Family>(
  family: F,
  fields: ReadonlyArray<Field>
): fields is FamilyKeys[F] =>
  fields.length === shapes[family].length
  && fields.every((field) => typeof field === "string" || Number.isSafeInteger(field))

const decodeText = (part: string): string => Buffer.from(part.slice(0, -1), "latin1").toString()

const decodeNumber = (part: string): number => {
  let value = 0
  for (let i = 1; i < part.length; i++) value = value * 256 + part.charCodeAt(i)
  return value
}
