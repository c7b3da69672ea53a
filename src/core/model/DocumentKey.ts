/**
 * Names one document of a bucket: a partition key, which decides the nodes that hold it, and a
 * sort key, which orders the documents of one partition key.
 *
 * Both are encoded so that comparing the encodings compares the keys: field by field, text by
 * code point, integers by size. Encodings hold no U+0000, which SQLite would cut text at.
 */

/** The encoded key. */
export interface DocumentKey {
  readonly partition: string
  /** Empty where the bucket's keys have no sort field. */
  readonly sort: string
}

/** A field of a key; integers are safe integers. */
export type KeyFieldValue = string | number

/** Longest encoding of either half, in UTF-16 units. */
export const keyLengthMax = 1024

/** A key that cannot be stored: why. */
export class MalformedKey extends Error {
  override readonly name = "MalformedKey"
}

// U+0001 ends a field and U+0002 escapes, so that no field's text can be taken for two.
const end = "\u0001"
const escape = "\u0002"
const escapeCode = 2
const escapedBy = 3

/** Whether the text stands for itself: it is well-formed, and nothing in it is escaped. */
const isPlain = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) <= escapeCode) return false
  return text.isWellFormed()
}

const escapeText = (text: string): string => {
  if (isPlain(text)) return text
  let escaped = ""
  for (const character of text) {
    escaped += character > escape
      ? character
      : escape + String.fromCharCode(character.charCodeAt(0) + escapedBy)
  }
  return escaped
}

const unescapeText = (text: string): string => {
  const [first = "", ...rest] = text.split(escape)
  const restored = rest.map((tail) =>
    String.fromCharCode(tail.charCodeAt(0) - escapedBy) + tail.slice(1)
  )
  return first + restored.join("")
}

const integerOffset = 2n ** 53n

const fieldText = (field: KeyFieldValue): string => {
  if (typeof field === "string") {
    if (!field.isWellFormed()) throw new MalformedKey("text with a lone surrogate")
    return `s${escapeText(field)}`
  }
  if (!Number.isSafeInteger(field)) throw new MalformedKey(`not a safe integer: ${field}`)
  return `i${(BigInt(field) + integerOffset).toString(16).padStart(14, "0")}`
}

/** Fields as one text, of any length; none is the empty text. */
export const joinFields = (fields: ReadonlyArray<KeyFieldValue>): string =>
  fields.map(fieldText).join(end)

/** Encodes the fields of one half of a key. */
export const encodeFields = (fields: ReadonlyArray<KeyFieldValue>): string =>
  checked(joinFields(fields), fields)

/** The same of a half with one field. */
export const encodeField = (field: KeyFieldValue): string => checked(fieldText(field), [field])

/** The length that is told is the one that the user counts; the encoding adds to it. */
const checked = (text: string, fields: ReadonlyArray<KeyFieldValue>): string => {
  if (text.length > keyLengthMax) {
    const given = fields.reduce<number>((sum, field) => sum + String(field).length, 0)
    const allowed = keyLengthMax - (text.length - given)
    throw new MalformedKey(`longer than ${allowed} characters: ${given}`)
  }
  return text
}

const decodeInteger = (digits: string): number => {
  if (!/^[0-9a-f]{14}$/u.test(digits)) throw new MalformedKey("not an encoded integer")
  return Number(BigInt(`0x${digits}`) - integerOffset)
}

/** The fields of an encoding. Throws `MalformedKey`. */
export const decodeFields = (encoded: string): ReadonlyArray<KeyFieldValue> => {
  if (encoded === "") return []
  return encoded.split(end).map((field) => {
    if (field.startsWith("i")) return decodeInteger(field.slice(1))
    if (!field.startsWith("s")) throw new MalformedKey("not an encoded key")
    return unescapeText(field.slice(1))
  })
}

/** Refuses an encoding that `encodeFields` cannot make: for keys that arrive from other nodes. */
export const isEncoded = (encoded: string): boolean => {
  if (encoded.length > keyLengthMax) return false
  // Most halves of keys are one plain text, or none.
  if (encoded === "" || (encoded.startsWith("s") && isPlain(encoded))) return true
  try {
    return encodeFields(decodeFields(encoded)) === encoded
  } catch {
    return false
  }
}
