/**
 * Names one incarnation of a node. A node must not continue dots that it may have forgotten (a lost
 * WAL suffix, a wiped disk, a restored backup), so every start draws a new incarnation, and so does
 * a failed commit of something already sent. Riak learnt this as "vnode amnesia"
 * (basho/riak_kv#679).
 *
 * Nine characters of time order the incarnations of one node, six random ones keep apart those
 * that a wrong clock or a copied disk would make alike.
 */
import * as Schema from "effect/Schema"

export const Incarnation = Schema.String.check(
  Schema.isPattern(/^[0-9a-z]{15}$/u, { expected: "15 characters of 0-9 and a-z" })
).pipe(Schema.brand("Incarnation"))
export type Incarnation = typeof Incarnation.Type

export const isIncarnation = Schema.is(Incarnation)

const timeDigits = 9
const randomDigits = 6

/** The clock's share, up to the year 3579; leaves as much above for counting on. */
const wallMax = 36 ** timeDigits / 2

/**
 * A new incarnation, greater than `previous` also where the clock went back.
 *
 * **Requires** `id` of at least six characters of 0-9 and a-z that was not drawn before.
 */
export const next = (
  options: { readonly previous: Incarnation | undefined; readonly now: number; readonly id: string }
): Incarnation => {
  const floor = options.previous === undefined
    ? 0
    : Number.parseInt(options.previous.slice(0, timeDigits), 36) + 1
  const time = Math.max(Math.min(Math.floor(options.now), wallMax), floor)
  const text = time.toString(36).padStart(timeDigits, "0") + options.id.slice(0, randomDigits)
  return Incarnation.make(text)
}
