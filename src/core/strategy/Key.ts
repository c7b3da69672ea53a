/**
 * Declares the keys of a bucket: one text, or fields of which some decide the partition and the
 * rest order the documents within it.
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { KeyDefinition, KeyFieldType } from "../model/BucketDefinition.ts"
import { isObject } from "../model/CanonicalJson.ts"
import { MalformedKey } from "../model/DocumentKey.ts"
import { bareText } from "../model/KeyFields.ts"
import * as ValueCodec from "./ValueCodec.ts"

export interface Key<K> {
  readonly definition: KeyDefinition
  /** @internal */
  readonly codec: ValueCodec.ValueCodec<K>
  /** The key as JSON, as requests have it. */
  readonly toJson: (key: K) => Result.Result<Schema.Json, ValueCodec.SchemaMismatch>
  /** The key of JSON. */
  readonly fromJson: (json: unknown) => Result.Result<K, ValueCodec.SchemaMismatch>
}

/** A key field: stored as text or as an integer, which dates and big integers are in JSON. */
export type KeyField =
  | Schema.Codec<any, string>
  | Schema.Codec<any, number>
  | Schema.Codec<any, typeof Schema.Date.Encoded>
  | Schema.Codec<any, bigint>
export type KeyFields = Readonly<Record<string, KeyField>>

/** Both parts as one object, without a name of its own: an editor shows the fields. */
type FieldsOf<P extends KeyFields, S extends KeyFields> =
  & { readonly [Name in keyof P | keyof S]: (P & S)[Name]["Type"] }
  & {}

const fromCodec = <K>(definition: KeyDefinition, codec: ValueCodec.ValueCodec<K>): Key<K> => ({
  definition,
  codec,
  toJson: ValueCodec.resultOf(codec.encode),
  fromJson: ValueCodec.resultOf(codec.decode)
})

/** Keys that are one text: `"alice"`. */
export const text: Key<string> = fromCodec(bareText, ValueCodec.make(Schema.String))

/** The JSON Schema of a field's encoded side, which one with an identifier only points to. */
const jsonSchema = (schema: KeyField): unknown => {
  const document = Schema.toJsonSchemaDocument(Schema.toCodecJson(schema))
  const pointer = document.schema["$ref"]
  if (typeof pointer !== "string") return document.schema
  const name = decodeURIComponent(pointer.slice("#/$defs/".length))
  return document.definitions[name.replaceAll("~1", "/").replaceAll("~0", "~")]
}

/** How a field is stored. */
const fieldType = (name: string, schema: KeyField): KeyFieldType => {
  const json = jsonSchema(schema)
  const type = isObject(json) ? json["type"] : undefined
  if (type === "string") return "text"
  if (type === "integer") return "integer"
  throw new MalformedKey(
    `${name}: a key field is stored as text or as an integer, not ${String(type)}`
  )
}

const fieldTypes = (fields: KeyFields) =>
  Object.entries(fields).map(([name, schema]) => [name, fieldType(name, schema)] as const)

/**
 * Keys of several fields: `partition` decides the nodes that hold a document, `sort` orders the
 * documents of one partition, each field in turn as it is declared.
 */
export const make = <const P extends KeyFields, const S extends KeyFields = {}>(
  fields: { readonly partition: P; readonly sort?: S }
): Key<FieldsOf<P, S>> => {
  const definition: KeyDefinition = {
    bare: false,
    partition: fieldTypes(fields.partition),
    sort: fieldTypes(fields.sort ?? {})
  }
  const names = [...definition.partition, ...definition.sort].map(([name]) => name)
  if (new Set(names).size < names.length) {
    throw new MalformedKey("a field is in the partition part or in the sort part, not in both")
  }
  if (names.includes("__proto__")) throw new MalformedKey("a key field named __proto__")
  if (names.includes("key") && names.includes("context")) {
    throw new MalformedKey("fields named key and context would pass for a document that was read")
  }
  if (definition.partition.length === 0) throw new MalformedKey("a key needs a partition field")
  const all: KeyFields = { ...fields.partition, ...fields.sort }
  return fromCodec(definition, withoutNaN(ValueCodec.make(Schema.Struct(all))))
}

/** `Schema.NumberFromString` takes every text for a number, and all of them would be one key. */
const refuseNaN = (key: unknown): void => {
  for (const [name, field] of isObject(key) ? Object.entries(key) : []) {
    if (Number.isNaN(field)) throw new ValueCodec.SchemaMismatch(`$.${name}`, "not a number")
  }
}

const withoutNaN = (codec: ValueCodec.ValueCodec<any>): ValueCodec.ValueCodec<any> => ({
  ...codec,
  encode: (key) => {
    refuseNaN(key)
    return codec.encode(key)
  },
  normalize: (json) => {
    refuseNaN(codec.decode(json))
    return codec.normalize(json)
  }
})
