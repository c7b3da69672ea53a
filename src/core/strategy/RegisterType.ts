/**
 * Holds one value inside a data type: of concurrent values the one with the greatest hybrid stamp
 * is shown. The others are kept until a write replaces them, because a removal may yet take the
 * shown one away: dropping them at once would make the result depend on the order of joins.
 */
import type { Sibling } from "../clock/DottedVersionVectorSet.ts"
import * as HybridClock from "../clock/HybridClock.ts"
import { at, type DotStore, nest } from "../crdt/DotStore.ts"
import { changed, deferrals, valueArgument } from "./Mutations.ts"
import { removeAt } from "./RemoveAt.ts"
import type { LeafOperation } from "./Strategy.ts"

const siblingsOf = (store: DotStore | undefined): ReadonlyArray<Sibling> =>
  store?.kind === "values" ? store.siblings : []

/** The sibling that is shown; siblings are in dot order, so the last of equals wins everywhere. */
export const shown = (store: DotStore | undefined): Sibling | undefined => {
  let winner: Sibling | undefined
  for (const sibling of siblingsOf(store)) {
    if (winner === undefined || sibling.stamp >= winner.stamp) winner = sibling
  }
  return winner
}

const set: LeafOperation = {
  name: "set",
  args: ["value"],
  mutate: (mutation, path) => {
    const value = valueArgument(mutation, 0)
    if (typeof value !== "string") return value
    const here = at(mutation.document.store, path)
    const seen = Math.max(shown(here)?.stamp ?? 0, mutation.stampSeen)
    const stamp = HybridClock.nextStamp({ nowMillis: mutation.nowMillis, seen })
    const siblings = [{ ...mutation.dot, stamp, value }]
    return changed(mutation, {
      path,
      store: nest(path, { kind: "values", siblings }),
      replaces: siblingsOf(here),
      deferred: deferrals(mutation, path)
    })
  }
}

const clear: LeafOperation = {
  name: "clear",
  args: [],
  mutate: (mutation, path) => removeAt(mutation, path, { counters: false })
}

export const operations: ReadonlyArray<LeafOperation> = [set, clear]
