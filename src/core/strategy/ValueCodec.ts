/**
 * Takes values across the border between the application's types and stored JSON, by the schema
 * that the bucket declares.
 */
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { digest64 } from "../Hash.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"

/** A schema without services; its JSON form is derived here, from any encoded side. */
export type ValueSchema<A> = Schema.Codec<A, any>

/** A value that the schema refuses: the path (`$.lines[0].quantity`) and the expected type. */
export class SchemaMismatch extends Error {
  override readonly name = "SchemaMismatch"
  readonly path: string
  readonly problem: string
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`)
    this.path = path
    this.problem = problem
  }
}

export interface ValueCodec<A> {
  /** The declared schema; the law kit generates values from it. */
  readonly schema: ValueSchema<A>
  /** JSON for a value. Throws `SchemaMismatch`. */
  readonly encode: (value: A) => Schema.Json
  /** The value of JSON. Throws `SchemaMismatch`. */
  readonly decode: (json: unknown) => A
  /** 16 hexadecimal digits over the schema's JSON Schema. */
  readonly fingerprint: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (key: PropertyKey | { readonly key: PropertyKey }): string => {
  const name = typeof key === "object" ? key.key : key
  return typeof name === "number" ? `[${name}]` : `.${String(name)}`
}

/** Why a schema refuses. It is the application's: where it fails itself, it refuses too. */
const refused = (thrown: unknown): SchemaMismatch => {
  if (!Schema.isSchemaError(thrown)) {
    return new SchemaMismatch("$", `the schema itself fails on this value: ${String(thrown)}`)
  }
  const issue = format(thrown.issue).issues[0]
  const path = `$${(issue?.path ?? []).map(segment).join("")}`
  return new SchemaMismatch(path, issue?.message ?? thrown.message)
}

/** The codec of a schema; build it once, when the bucket is declared. */
export const make = <A>(schema: ValueSchema<A>): ValueCodec<A> => {
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownSync(codec)
  const decode = Schema.decodeUnknownSync(codec)
  return {
    schema,
    encode: (value) => {
      try {
        return encode(value)
      } catch (thrown) {
        throw refused(thrown)
      }
    },
    decode: (json) => {
      try {
        return decode(json)
      } catch (thrown) {
        throw refused(thrown)
      }
    },
    fingerprint: digest64(CanonicalJson.encode(Schema.toJsonSchemaDocument(codec)))
  }
}
