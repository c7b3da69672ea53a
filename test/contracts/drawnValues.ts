/**
 * Draws schemas with values that fit them, storable or not, and writes JSON in other words.
 */
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import * as CanonicalJson from "../../src/core/model/CanonicalJson.ts"

/** A schema, and values of its type. */
interface Drawn {
  readonly schema: Schema.Codec<any, any>
  readonly value: fc.Arbitrary<unknown>
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("__proto__", "\ud800", "1.0", "\\", "\"", "é")
)
const double = fc.oneof(
  fc.double(),
  fc.constantFrom(2 ** 53, 1e21, 1.5e300, -0, 5e-324, Infinity, 123456789012345680000)
)
const day = fc.date({ noInvalidDate: false, min: new Date(0), max: new Date(9e12) })

const leaves: ReadonlyArray<Drawn> = [
  { schema: Schema.String, value: text },
  { schema: Schema.Int, value: fc.oneof(fc.maxSafeInteger(), fc.constant(2 ** 53)) },
  { schema: Schema.Finite, value: double },
  { schema: Schema.Number, value: double },
  { schema: Schema.Boolean, value: fc.boolean() },
  { schema: Schema.Date, value: day },
  { schema: Schema.BigInt, value: fc.bigInt() },
  { schema: Schema.Null, value: fc.constant(null) },
  { schema: Schema.FiniteFromString, value: double },
  { schema: Schema.Json, value: fc.oneof(fc.jsonValue(), double, fc.array(double)) },
  {
    schema: Schema.Any,
    value: fc.anything({ withDate: true, withMap: true, withSet: true, withSparseArray: true })
  }
]

const name = fc.constantFrom("a", "b", "constructor", "10", "é")

const absent = Symbol("absent")

/** A struct, some of whose fields may be absent; at times with one that it does not name. */
const struct = (fields: ReadonlyArray<readonly [string, Drawn, boolean]>): Drawn => {
  const byName = new Map(fields.map(([field, of, isOptional]) => [field, { of, isOptional }]))
  const entries = [...byName]
  return {
    schema: Schema.Struct(Object.fromEntries(
      entries.map(([field, { isOptional, of: { schema } }]) => [
        field,
        isOptional ? Schema.optionalKey(schema) : schema
      ])
    )),
    value: fc.tuple(
      ...entries.map(([field, { isOptional, of }]) =>
        fc.option(of.value, { nil: absent, freq: isOptional ? 1 : 20 }).map((value) =>
          [field, value] as const
        )
      )
    ).map((fields) => Object.fromEntries(fields.filter(([, value]) => value !== absent)))
      .chain((fields) => fc.constantFrom(fields, fields, fields, { ...fields, excess: 1 }))
  }
}

const { schema } = fc.letrec<{ schema: Drawn }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...leaves),
    fc.array(fc.tuple(name, tie("schema"), fc.boolean()), { maxLength: 4 }).map(struct),
    tie("schema").map((of) => ({
      schema: Schema.Array(of.schema),
      value: fc.array(of.value, { maxLength: 3 })
    })),
    tie("schema").map((of) => ({
      schema: Schema.Record(Schema.String, of.schema),
      value: fc.dictionary(text, of.value, { maxKeys: 3, noNullPrototype: true })
    })),
    tie("schema").map((of) => ({
      schema: Schema.ReadonlyMap(Schema.String, of.schema),
      value: fc.array(fc.tuple(text, of.value), { maxLength: 3 }).map((entries) => new Map(entries))
    })),
    tie("schema").map((of) => ({
      schema: Schema.NullOr(of.schema),
      value: fc.oneof(fc.constant(null), of.value)
    })),
    fc.tuple(tie("schema"), tie("schema")).map(([left, right]) => ({
      schema: Schema.Union([left.schema, right.schema]),
      value: fc.oneof(left.value, right.value)
    })),
    fc.tuple(tie("schema"), tie("schema")).map(([left, right]) => ({
      schema: Schema.Tuple([left.schema, right.schema]),
      value: fc.tuple(left.value, right.value)
    }))
  )
}))

/** A schema with three of its values. */
export const drawn: fc.Arbitrary<
  { readonly schema: Schema.Codec<any, any>; readonly values: ReadonlyArray<unknown> }
> = schema.chain(({ schema, value }) =>
  fc.array(value, { minLength: 3, maxLength: 3 }).map((values) => ({ schema, values }))
)

const escaped = (text: string): string => {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
  return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}"`
}

const inOtherWords = (value: unknown): string => {
  if (typeof value === "string") return escaped(value)
  if (typeof value === "number") return value.toExponential()
  if (Array.isArray(value)) return `[ ${value.map(inOtherWords).join(" ,")} ]`
  if (!CanonicalJson.isObject(value)) return JSON.stringify(value)
  const fields = Object.entries(value).map(([key, field]) =>
    `${escaped(key)} : ${inOtherWords(field)}`
  )
  return `{ ${fields.toReversed().join(" ,\n")} }`
}

/** The same JSON in other words: fields in another order, all text escaped, numbers as powers. */
export const rewritten = (canonical: string): string =>
  inOtherWords(CanonicalJson.decode(canonical))
