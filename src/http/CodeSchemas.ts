/**
 * Makes the JSON Schemas of an application's own keys and values for the OpenAPI document, with an
 * example of each that the schema takes.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import type { BucketCode } from "../core/strategy/BucketCode.ts"
import type { ValueCodec } from "../core/strategy/ValueCodec.ts"

export type JsonSchema = Readonly<Record<string, unknown>>

/** The schema as one request gives the value, and an example; none where none is known. */
export interface Described {
  readonly schema: JsonSchema
  readonly example: unknown
}

/** The schemas of a bucket with code, which point to definitions under names of its own. */
export interface CodeSchemas {
  readonly key: Described | undefined
  /** The argument of an operation; undefined where there is none. */
  readonly argument: (operation: string, index: number) => Described | undefined
  readonly lastArgument: (operation: string) => Described | undefined
  readonly definitions: Readonly<Record<string, JsonSchema>>
}

/** Keywords under which schemas stand by name. */
const named = new Set(["$defs", "properties", "patternProperties", "dependentSchemas"])

/** Keywords under which values of the application stand, which may look like schemas. */
const values = new Set(["const", "default", "enum", "examples"])

const local = "#/$defs/"

const unescaped = (pointer: string): string =>
  decodeURIComponent(pointer).replaceAll("~1", "/").replaceAll("~0", "~")

/** The same schema, which points to its definitions under other names. */
const pointing = (schema: unknown, rename: (name: string) => string): unknown => {
  if (Array.isArray(schema)) return schema.map((part) => pointing(part, rename))
  if (!CanonicalJson.isObject(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, part]) => {
      if (keyword === "$ref" && typeof part === "string" && part.startsWith(local)) {
        return [keyword, `#/components/schemas/${rename(unescaped(part.slice(local.length)))}`]
      }
      if (values.has(keyword)) return [keyword, part]
      if (!named.has(keyword) || !CanonicalJson.isObject(part)) {
        return [keyword, pointing(part, rename)]
      }
      const parts = Object.entries(part).map(([name, one]) => [name, pointing(one, rename)])
      return [keyword, Object.fromEntries(parts)]
    })
  )
}

/** What a request gives: a property that the schema does not name is refused. */
const options = { onExcessProperty: "error" } as const

/** The JSON Schema of a codec; undefined where an annotation in it is no JSON. */
const documentOf = ({ schema }: ValueCodec<any>) => {
  try {
    const document = Schema.toJsonSchemaDocument(Schema.toCodecJson(schema), options)
    CanonicalJson.check(document)
    return document
  } catch {
    return undefined
  }
}

/** The JSON of each that the codec takes. */
const taken = (act: () => ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  try {
    return act()
  } catch {
    return []
  }
}

/** Few and small, and each time the same: the document changes with the schema alone. */
const sampling = { count: 16, size: 3, seed: 1 } as const

const drawn = (codec: ValueCodec<any>): Effect.Effect<ReadonlyArray<unknown>> =>
  Effect.suspend(() => Arbitrary.sampleEffect(Arbitrary.schema(codec.schema), sampling)).pipe(
    Effect.map((samples) => samples.flatMap((sample) => taken(() => [codec.encode(sample)]))),
    // A schema of which nothing can be drawn has no example.
    Effect.catchCause(() => Effect.succeed([])),
    Effect.map((all) => [...all].sort((left, right) => lengthOf(left) - lengthOf(right)))
  )

const lengthOf = (json: unknown): number => JSON.stringify(json).length

/** An example: as the schema gives it, else the usual one where the schema takes it, else drawn. */
const exampleOf = (codec: ValueCodec<any>, usual: unknown): Effect.Effect<unknown> => {
  const { examples } = Schema.resolveAnnotations(codec.schema) ?? {}
  const given = taken(() => (examples ?? []).map((example) => codec.encode(example)))
  const known = [...given, ...taken(() => [codec.normalize(usual)])]
  return known.length > 0
    ? Effect.succeed(known[0])
    : Effect.map(drawn(codec), ([first]) => first)
}

/** Definitions that the schemas of a bucket point to, by names that no other schema has. */
class Definitions {
  readonly all: Record<string, JsonSchema> = {}
  readonly #bucket: string

  constructor(bucket: string) {
    this.#bucket = bucket
  }

  /** The schema of a document, whose definitions are kept here. */
  add({ definitions, schema }: { readonly definitions: JsonSchema; readonly schema: unknown }) {
    const first = Object.keys(this.all).length
    const names = new Map(
      Object.keys(definitions).map((name, i) => [name, `Bucket.${this.#bucket}.${first + i + 1}`])
    )
    const rename = (name: string): string => names.get(name) ?? name
    for (const [name, one] of Object.entries(definitions)) {
      const moved: any = pointing(one, rename)
      this.all[rename(name)] = { title: name, ...moved }
    }
    const own: any = pointing(schema, rename)
    return own
  }
}

const described = Effect.fnUntraced(function*(
  codec: ValueCodec<any>,
  usual: unknown,
  definitions: Definitions
) {
  const document = documentOf(codec)
  if (document === undefined) return undefined
  const example = yield* exampleOf(codec, usual)
  return { schema: definitions.add(document), example }
})

/** The example of a value that may be any text. */
export const usualValue = "text"

/** The schemas of a bucket's code; `usualKey` is a key that its definition allows. */
export const codeSchemas = Effect.fnUntraced(function*(
  bucket: string,
  code: BucketCode,
  usualKey: unknown
): Effect.fn.Return<CodeSchemas> {
  const definitions = new Definitions(bucket)
  const known = new Map<ValueCodec<any>, Described | undefined>()
  for (const codec of new Set([...code.arguments.values()].flat())) {
    known.set(codec, yield* described(codec, usualValue, definitions))
  }
  const key = yield* described(code.key, usualKey, definitions)
  const of = (codec: ValueCodec<any> | undefined) =>
    codec === undefined ? undefined : known.get(codec)
  return {
    key,
    argument: (operation, index) => of(code.arguments.get(operation)?.[index]),
    lastArgument: (operation) => of(code.arguments.get(operation)?.at(-1)),
    definitions: definitions.all
  }
})
