/**
 * Turns keys as people write them, a text or an object of fields, into encoded keys and back, by
 * the bucket's definition alone, so that any node takes a request for any bucket it knows.
 */
import { InexactNumber, type Json, parse } from "../codec/Json.ts"
import type { KeyDefinition, KeyFieldType } from "./BucketDefinition.ts"
import { isObject } from "./CanonicalJson.ts"
import {
  decodeFields,
  type DocumentKey,
  encodeField,
  encodeFields,
  type KeyFieldValue,
  MalformedKey
} from "./DocumentKey.ts"

/** Keys that are one text. */
export const bareText: KeyDefinition = { bare: true, partition: [["key", "text"]], sort: [] }

const expected = { text: "a text", integer: "an integer" } as const

const checkedField = (value: unknown, name: string, type: KeyFieldType): KeyFieldValue => {
  if (type === "text" && typeof value === "string") return value
  if (type === "integer" && typeof value === "number" && Number.isSafeInteger(value)) return value
  throw new MalformedKey(`${name}: expected ${expected[type]}`)
}

/** A field may bear a name that every object has, such as `constructor`. */
const fieldOf = (json: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(json, name) ? json[name] : undefined

const describe = (definition: KeyDefinition): string =>
  definition.bare
    ? "a text"
    : `an object with ${
      [...definition.partition, ...definition.sort]
        .map(([name, type]) => `${name} (${type})`)
        .join(", ")
    }`

/**
 * The key that a text stands for where no JSON is around it, as in a URL or on a command line: the
 * text itself where keys are texts, else JSON. Throws `MalformedKey`.
 */
export const parseKey = (definition: KeyDefinition, text: string): Json => {
  if (definition.bare) return text
  let json: Json
  try {
    json = parse(text)
  } catch (thrown) {
    const says = thrown instanceof InexactNumber || thrown instanceof RangeError
    if (says) throw new MalformedKey(thrown.message)
    throw new MalformedKey("the key is no JSON, expected an object of its fields")
  }
  if (!isObject(json)) throw new MalformedKey(`expected ${describe(definition)}`)
  return json
}

/** The encoded key of a JSON value. Throws `MalformedKey`, which names the field. */
export const encodeKey = (definition: KeyDefinition, json: unknown): DocumentKey => {
  if (definition.bare) {
    return { partition: encodeField(checkedField(json, "key", "text")), sort: "" }
  }
  if (!isObject(json)) throw new MalformedKey(`expected ${describe(definition)}`)
  const fields = [...definition.partition, ...definition.sort]
  const extra = Object.keys(json).find((name) => fields.every(([field]) => field !== name))
  if (extra !== undefined) throw new MalformedKey(`${extra}: expected ${describe(definition)}`)
  const half = (fields: KeyDefinition["partition"]) =>
    encodeFields(fields.map(([name, type]) => checkedField(fieldOf(json, name), name, type)))
  return { partition: half(definition.partition), sort: half(definition.sort) }
}

/** The JSON value of an encoded key; undefined where it has too few fields to be one of these. */
export const decodeKey = (definition: KeyDefinition, key: DocumentKey): Json | undefined => {
  const values = [...decodeFields(key.partition), ...decodeFields(key.sort)]
  if (definition.bare) return values[0]
  const fields: Record<string, Json> = {}
  for (const [i, [name]] of [...definition.partition, ...definition.sort].entries()) {
    const value = values[i]
    if (value === undefined) return undefined
    fields[name] = value
  }
  return fields
}
