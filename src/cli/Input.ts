/**
 * Makes JSON of the text that is typed: keys, values and arguments of operations. Text that would
 * be changed on the way is refused.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { buffer } from "node:stream/consumers"
import type { BucketBody } from "../../schemas/ClusterDescription.ts"
import * as Json from "../core/codec/Json.ts"
import { MalformedKey } from "../core/model/DocumentKey.ts"
import { parseKey } from "../core/model/KeyFields.ts"
import { InvalidKey, InvalidValue } from "../core/model/StoreError.ts"
import { visibleJson } from "../core/model/VisibleText.ts"
import { Misuse } from "./Failure.ts"

/** Node shows this in place of bytes of a command line that are no UTF-8. */
const replacement = "\ufffd"

const typedText = (typed: string): Effect.Effect<string, Misuse> =>
  typed.includes(replacement)
    ? Effect.fail(new Misuse({ problem: `${typed} is not UTF-8` }))
    : Effect.succeed(typed)

/** A key: the text itself where the bucket's keys are texts, else an object of fields. */
export const key = Effect.fnUntraced(function*(
  { definition }: BucketBody,
  typed: string
): Effect.fn.Return<Json.Json, InvalidKey | Misuse> {
  const text = yield* typedText(typed)
  return yield* Effect.try({
    try: () => parseKey(definition.key, text),
    catch: (thrown) => {
      const problem = thrown instanceof MalformedKey ? thrown.message : String(thrown)
      return new InvalidKey({ bucket: definition.name, problem })
    }
  })
})

/** The arguments of an operation: the key of a map's entry is a text, others JSON, or else text. */
export const args = (
  { definition, operations }: BucketBody,
  operation: string,
  typed: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Json.Json>, InvalidValue | Misuse> => {
  const kinds = Object.hasOwn(operations, operation) ? operations[operation]! : []
  return Effect.forEach(
    typed,
    (each, index) =>
      Effect.flatMap(typedText(each), (text) =>
        kinds[index] === "key"
          ? Effect.succeed(text)
          : jsonOf(text, { bucket: definition.name, at: [index], otherwise: () => text }))
  )
}

/** A value, from the argument or from standard input. */
export const value = Effect.fnUntraced(function*(
  bucket: string,
  argument: Option.Option<string>
): Effect.fn.Return<Json.Json, InvalidValue | Misuse> {
  const typed = Option.getOrElse(argument, () => "-")
  if (typed !== "-") return yield* valueOf(yield* typedText(typed), bucket)
  if (process.stdin.isTTY && Option.isNone(argument)) {
    return yield* new Misuse({ problem: "a value is missing: as an argument, or through a pipe" })
  }
  const bytes = yield* Effect.promise(() => buffer(process.stdin))
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new Misuse({ problem: "standard input is not UTF-8" })
  })
  return yield* valueOf(text, bucket)
})

const shownLengthMax = 40

const valueOf = (
  typed: string,
  bucket: string
): Effect.Effect<Json.Json, InvalidValue | Misuse> => {
  const misuse = new Misuse({ problem: notJson(typed) })
  return Effect.flatMap(
    jsonOf(typed, { bucket, at: [], otherwise: () => undefined }),
    (json) => json === undefined ? Effect.fail(misuse) : Effect.succeed(json)
  )
}

/** As a shell takes it. */
const quoted = (json: string): string => `'${json.replaceAll("'", String.raw`'\''`)}'`

/** With the JSON of the text, where that is short enough to be typed, since it may be meant so. */
const notJson = (typed: string): string => {
  const isShort = typed.length <= shownLengthMax
  const shown = isShort ? typed : `${typed.slice(0, shownLengthMax)}...`
  const advice = isShort ? quoted(visibleJson(typed)) : "JSON in quotes, as '\"world\"'"
  return `${shown} is not JSON${faultIn(typed)}; a text is ${advice}`
}

/** Where a text that begins as JSON ends to be JSON; the engine quotes little of a long text. */
const faultIn = (typed: string): string => {
  if (!/^\s*["[{]/u.test(typed)) return ""
  try {
    Json.check(typed)
    return ""
  } catch (thrown) {
    return thrown instanceof SyntaxError ? ` (${thrown.message})` : ""
  }
}

/**
 * The JSON of a text, or `otherwise`. A number that would be changed is refused with its path, and
 * so is JSON that nests too deep to be read.
 */
const jsonOf = <A>(
  text: string,
  options: { readonly bucket: string; readonly at: Json.Path; readonly otherwise: () => A }
): Effect.Effect<Json.Json | A, InvalidValue> => {
  const { at, bucket, otherwise } = options
  try {
    return Effect.succeed(Json.parse(text))
  } catch (thrown) {
    const invalid = (path: Json.Path, problem: string) =>
      Effect.fail(new InvalidValue({ bucket, path: Json.pathText([...at, ...path]), problem }))
    if (thrown instanceof Json.InexactNumber) return invalid(thrown.path, thrown.problem)
    return thrown instanceof RangeError ? invalid([], thrown.message) : Effect.succeed(otherwise())
  }
}
