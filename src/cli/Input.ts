/**
 * Makes JSON of the text that is typed: keys, values and arguments of operations.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { text } from "node:stream/consumers"
import { type Json, read } from "../core/codec/Json.ts"
import { Misuse } from "./Failure.ts"

/** JSON where the text is JSON, else the text itself. */
export const jsonOrText = (typed: string): Json => {
  const json = read(typed)
  return json === undefined ? typed : json
}

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
  const json = read(typed)
  if (json !== undefined) return Effect.succeed(json)
  const shown = typed.length > shownLengthMax ? `${typed.slice(0, shownLengthMax)}...` : typed
  return Effect.fail(new Misuse({ problem: `${shown} is not JSON; a text is '"${shown}"'` }))
}
