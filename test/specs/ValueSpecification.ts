/**
 * Specifies the buckets of whole values: the view, as a function of the writes that were seen and
 * of those that each of them had seen.
 *
 * - Siblings are the values that no seen write had observed, in the order of their dots. A write
 *   observes the writes that its client had read; a deletion without a context observes those of
 *   its coordinator.
 * - The last write is the one with the greatest stamp; a stamp exceeds the clock and the stamps of
 *   all that the coordinator had seen and the client had read.
 */
import * as fc from "fast-check"
import type { Request } from "./SpecifiedCluster.ts"
import { client, compare, type Happened, isIn, type Mask, observed, within } from "./Happened.ts"

export type ValueChange =
  | { readonly tag: "put"; readonly value: number }
  | { readonly tag: "delete" }

type Event = Happened<ValueChange>
type Events = ReadonlyArray<Event>

const shown = ({ change }: Event): ReadonlyArray<string> =>
  change.tag === "put" ? [String(change.value)] : []

const supersedes = (event: Event): Mask =>
  event.change.tag === "put" ? client(event) ?? 0 : observed(event)

export const siblings = (history: Events, mask: Mask): ReadonlyArray<string> => {
  const seen = within(history, mask)
  return seen
    .filter((event) => !seen.some((other) => isIn(event, supersedes(other))))
    .sort(compare)
    .flatMap(shown)
}

const stamps = new WeakMap<Event, number>()

const stampOf = (history: Events, event: Event): number => {
  const known = stamps.get(event)
  if (known !== undefined) return known
  const before = within(history, event.local | (client(event) ?? 0))
  const stamp = before.reduce(
    (most, other) => Math.max(most, stampOf(history, other)),
    event.nowMillis * 1000
  ) + 1
  stamps.set(event, stamp)
  return stamp
}

export const lastWrite = (history: Events, mask: Mask): ReadonlyArray<string> => {
  const [winner] = [...within(history, mask)].sort((a, b) =>
    stampOf(history, b) - stampOf(history, a) || compare(b, a)
  )
  return winner === undefined ? [] : shown(winner)
}

const put = fc.nat({ max: 99 }).map((value): Request<ValueChange> => ({
  operation: "put",
  args: [value],
  change: { tag: "put", value }
}))

const remove = fc.constant<Request<ValueChange>>({
  operation: "delete",
  args: [],
  change: { tag: "delete" }
})

/** Puts, and a deletion now and then. */
export const valueRequests: fc.Arbitrary<Request<ValueChange>> = fc.oneof(
  { arbitrary: put, weight: 4 },
  { arbitrary: remove, weight: 1 }
)
