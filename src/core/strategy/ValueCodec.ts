/**
 * Takes values across the border between the application's types and stored JSON, by the schema
 * that the bucket declares.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { digest64 } from "../Hash.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"

/** A schema without services, whatever its encoded side: it is derived to JSON here. */
export type ValueSchema<A> = Schema.Codec<A, any>

/** A value that the schema refuses: where (`$.lines[0].quantity`) and what was expected. */
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
  /** What was declared; the law kit generates values from it. */
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

const refused = (error: Schema.SchemaError): SchemaMismatch => {
  const issue = format(error.issue).issues[0]
  const path = `$${(issue?.path ?? []).map(segment).join("")}`
  return new SchemaMismatch(path, issue?.message ?? error.message)
}

/** The schema is the application's: where it throws, the value is refused. */
const valueOf = <A>(run: () => Result.Result<A, Schema.SchemaError>): A => {
  let result: Result.Result<A, Schema.SchemaError>
  try {
    result = run()
  } catch (error) {
    throw new SchemaMismatch("$", `the schema itself fails on this value: ${String(error)}`)
  }
  if (Result.isFailure(result)) throw refused(result.failure)
  return result.success
}

/** The codec of a schema; build it once, when the bucket is declared. */
export const make = <A>(schema: ValueSchema<A>): ValueCodec<A> => {
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownResult(codec)
  const decode = Schema.decodeUnknownResult(codec)
  return {
    schema,
    encode: (value) => valueOf(() => encode(value)),
    decode: (json) => valueOf(() => decode(json)),
    fingerprint: digest64(CanonicalJson.encode(Schema.toJsonSchemaDocument(codec)))
  }
}
