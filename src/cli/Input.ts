/**
 * Makes JSON of what is typed: keys, values and arguments of operations.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { text } from "node:stream/consumers"
import { Misuse } from "./Failure.ts"

export type Json = typeof Schema.Json.Type

const parse = Schema.decodeOption(Schema.fromJsonString(Schema.Json))

/** JSON where the text is JSON, else the text itself. */
export const jsonOrText = (typed: string): Json => Option.getOrElse(parse(typed), () => typed)

/** A key: an object of fields where it looks like one, else the text itself. */
export const key = (typed: string): Json => typed.startsWith("{") ? jsonOrText(typed) : typed

/** A value, from the argument or from standard input. */
export const value = Effect.fnUntraced(function*(
  argument: Option.Option<string>
): Effect.fn.Return<Json, Misuse> {
  const typed = Option.getOrElse(argument, () => "-")
  if (typed !== "-") return yield* valueOf(typed)
  if (process.stdin.isTTY && Option.isNone(argument)) {
    return yield* new Misuse({ problem: "a value is missing: as an argument, or through a pipe" })
  }
  return yield* valueOf(yield* Effect.promise(() => text(process.stdin)))
})

const shownLengthMax = 40

const valueOf = (typed: string): Effect.Effect<Json, Misuse> => {
  const parsed = parse(typed)
  if (Option.isSome(parsed)) return Effect.succeed(parsed.value)
  const shown = typed.length > shownLengthMax ? `${typed.slice(0, shownLengthMax)}...` : typed
  return Effect.fail(new Misuse({ problem: `${shown} is not JSON; a text is '"${shown}"'` }))
}
