/**
 * Takes values across the border between the application's types and stored JSON, by the schema
 * that the bucket declares.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { digest64 } from "../Hash.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"
import * as ForeignSchema from "./ForeignSchema.ts"
import { InvalidDeclaration } from "./InvalidDeclaration.ts"
import { someNode } from "./SchemaNodes.ts"

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
  /**
   * JSON for a value, as it can be stored. Throws `SchemaMismatch`, also for a property that the
   * schema does not name.
   */
  readonly encode: (value: A) => Schema.Json
  /**
   * The value of JSON. A property that the schema does not name is dropped: it was stored by a node
   * without the schema. Throws `SchemaMismatch`.
   */
  readonly decode: (json: unknown) => A
  /**
   * The JSON that `encode` gives for the value of this JSON, so that one value has one JSON. Throws
   * `SchemaMismatch`, also for a property that the schema does not name.
   */
  readonly normalize: (json: unknown) => Schema.Json
  /** JSON for the result of an application's function: excess properties are dropped. */
  readonly encodeResult: (value: A) => Schema.Json
  /** 16 hexadecimal digits over the schema's JSON Schema. */
  readonly fingerprint: string
}

/** The same function for callers who take a refusal as a result. */
export const resultOf =
  <A, B>(act: (input: A) => B) => (input: A): Result.Result<B, SchemaMismatch> => {
    try {
      return Result.succeed(act(input))
    } catch (thrown) {
      if (thrown instanceof SchemaMismatch) return Result.fail(thrown)
      throw thrown
    }
  }

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (step: PropertyKey): string =>
  typeof step === "number" ? `[${step}]` : `.${String(step)}`

const mismatch = (path: string, { path: below, problem }: CanonicalJson.InvalidJson) =>
  new SchemaMismatch(path + below.slice(1), problem)

/** The fault that JSON knows of in the part of a value at a path; undefined for none. */
const faultAt = (
  value: unknown,
  path: ReadonlyArray<PropertyKey>
): CanonicalJson.InvalidJson | undefined => {
  let part = value
  for (const step of path) {
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, step)) return undefined
    part = Reflect.get(part, step)
  }
  try {
    CanonicalJson.check(part)
    return undefined
  } catch (thrown) {
    return thrown instanceof CanonicalJson.InvalidJson ? thrown : undefined
  }
}

/** Why a schema refuses. It is the application's: where it fails itself, it refuses too. */
const refused = (thrown: unknown, value: unknown): SchemaMismatch => {
  if (thrown instanceof CanonicalJson.InvalidJson) return mismatch("$", thrown)
  if (!Schema.isSchemaError(thrown)) {
    return new SchemaMismatch("$", `the schema itself fails on this value: ${String(thrown)}`)
  }
  const issue = format(thrown.issue).issues[0]
  const steps = (issue?.path ?? []).map((step) => typeof step === "object" ? step.key : step)
  const path = `$${steps.map(segment).join("")}`
  // `Schema.Json` refuses a value as a whole; the fault is deeper.
  const fault = faultAt(value, steps)
  if (fault !== undefined && fault.path !== "$") return mismatch(path, fault)
  return new SchemaMismatch(path, issue?.message ?? thrown.message)
}

/** The result of `act`, which gives `value` to the schema. */
const orRefused = <A>(value: unknown, act: () => A): A => {
  try {
    return act()
  } catch (thrown) {
    throw refused(thrown, value)
  }
}

/**
 * The JSON as it is stored: a field that holds `undefined` is left out. The schema must be able to
 * read that, or nobody could read the value any more.
 */
const stored = (json: Schema.Json, read: (json: unknown) => unknown): Schema.Json => {
  if (!CanonicalJson.check(json)) return json
  const rest = CanonicalJson.decode(CanonicalJson.encode(json))
  read(rest)
  return rest
}

const strict = { onExcessProperty: "error" } as const

/**
 * The codec of a schema; build it once, when the bucket is declared. Throws `InvalidDeclaration`
 * where it is no schema of this copy of `effect`.
 */
export const make = <A>(schema: ValueSchema<A>): ValueCodec<A> => {
  const problem = ForeignSchema.problemOf(schema)
  if (problem !== undefined) throw new InvalidDeclaration(problem)
  const codec = Schema.toCodecJson(schema)
  const encode = Schema.encodeUnknownSync(codec, strict)
  const encodeResult = Schema.encodeUnknownSync(codec)
  const decode = Schema.decodeUnknownSync(codec, strict)
  const decodeStored = Schema.decodeUnknownSync(codec)
  const decodeResult = Schema.decodeUnknownResult(codec, strict)
  // Without an encoding in it, a schema's values are their own JSON: encoding them would copy them.
  const encodes = someNode(codec.ast, ({ encoding }) => encoding !== undefined)
  const same: Schema.Codec<any, any> = codec
  const normalize = encodes
    ? (json: unknown) => stored(encode(decode(json)), decode)
    : Schema.decodeUnknownSync(same, strict)
  return {
    schema,
    encode: (value) => orRefused(value, () => stored(encode(value), decode)),
    // Where alternatives differ in a property, only the one with all that is there is meant.
    decode: (json) =>
      orRefused(json, () => {
        const exact = decodeResult(json)
        return exact._tag === "Success" ? exact.success : decodeStored(json)
      }),
    normalize: (json) => orRefused(json, () => normalize(json)),
    encodeResult: (value) => orRefused(value, () => stored(encodeResult(value), decodeStored)),
    fingerprint: digest64(CanonicalJson.encode(Schema.toJsonSchemaDocument(codec)))
  }
}
