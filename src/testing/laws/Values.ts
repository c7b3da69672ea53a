/**
 * Generates the values that a bucket can store, as canonical JSON, from the schemas it declares.
 *
 * Merges fail where two values have something in common, and values straight from a schema rarely
 * have. So most are pooled: every text and key that the schema lets change becomes one of a few.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import type { ValueCodec } from "../../core/strategy/ValueCodec.ts"

/** The last is a name that every plain object seems to have: `items[key] ?? 0` finds it. */
const pool = ["a", "b", "toString"] as const

const pooledText = (text: string): string => {
  let sum = 0
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i)
  return pool[sum % pool.length]!
}

/** Repairs a text that cannot be stored, so that few generated values are wasted. */
const storableText = (text: string): string => text === "__proto__" ? "proto" : text.toWellFormed()

/** Puts a changed value back into the whole. */
type Rebuild = (value: unknown) => unknown

/** `json` with each text and key changed by `change`, where the result `fits`. */
const rewrite = (
  json: unknown,
  options: {
    readonly change: (text: string) => string
    readonly fits: (whole: unknown) => boolean
  },
  rebuild: Rebuild = (value) => value
): unknown => {
  const ifFits = (value: unknown) => (options.fits(rebuild(value)) ? value : json)
  if (typeof json === "string") {
    const changed = options.change(json)
    return changed === json ? json : ifFits(changed)
  }
  if (Array.isArray(json)) {
    const items: Array<unknown> = [...json]
    items.forEach((item, i) => {
      items[i] = rewrite(item, options, (value) => rebuild(items.with(i, value)))
    })
    return items
  }
  if (!CanonicalJson.isObject(json)) return json
  const fields = new Map(Object.entries(json))
  const object = () => Object.fromEntries(fields)
  for (const [key, field] of fields) {
    fields.set(
      key,
      rewrite(field, options, (value) => rebuild(Object.fromEntries([...fields, [key, value]])))
    )
  }
  const renamed = Object.fromEntries(
    [...fields].map(([key, field]) => [options.change(key), field])
  )
  return options.fits(rebuild(renamed)) ? renamed : object()
}

/** Whether JSON is a value, whole: nothing is lost when it is read and written again. */
const fitsCodec = (codec: ValueCodec<any>) => (json: unknown): boolean => {
  try {
    return textOf(codec, codec.decode(json)) === CanonicalJson.encode(json)
  } catch {
    return false
  }
}

/** The canonical JSON of a value. Throws `SchemaMismatch` or `InvalidJson`. */
export const textOf = <A>(codec: ValueCodec<A>, value: A): string =>
  CanonicalJson.encode(codec.encode(value))

/** The value of canonical JSON. Throws `SchemaMismatch`. */
export const valueOf = <A>(codec: ValueCodec<A>, text: string): A =>
  codec.decode(CanonicalJson.decode(text))

/** Values of the declared type as the schema generates them, storable or not. */
export const raw = <A>(codec: ValueCodec<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.schema(codec.schema)

/** The canonical JSON of `value`, repaired where it has to be; a failure where it cannot be. */
const storable = <A>(codec: ValueCodec<A>) => (value: A): Result.Result<string, string> => {
  try {
    const repaired = rewrite(codec.encode(value), { change: storableText, fits: () => true })
    const fits = fitsCodec(codec)(repaired)
    return fits ? Result.succeed(CanonicalJson.encode(repaired)) : Result.fail("does not fit")
  } catch (error) {
    return Result.fail(String(error))
  }
}

/** Values that can be stored, as canonical JSON. */
export const stored = <A>(codec: ValueCodec<A>): Arbitrary.Arbitrary<string> =>
  Arbitrary.filterMap(raw(codec), storable(codec))

/** The same value with texts and keys from the pool. */
export const pooled = (codec: ValueCodec<any>, text: string): string =>
  CanonicalJson.encode(
    rewrite(CanonicalJson.decode(text), { change: pooledText, fits: fitsCodec(codec) })
  )

/** Three in four. */
export const mostly: Arbitrary.Arbitrary<boolean> = Arbitrary.map(
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))),
  (quarter) => quarter < 3
)
