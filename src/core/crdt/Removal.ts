/**
 * Removes the dots that a removal has seen, and no others.
 *
 * A removal names dots. Those it saw that are here are dropped at once. Those it saw that are not
 * here yet are the reason for a `Deferral`: the removal is kept, with the history it had seen,
 * until the document's context covers that, and removes them as they arrive. basho/riak_dt#99 shows
 * the fault of deferrals kept inside the field they concern; here they stand beside the state.
 */
import type { Actor, Dot } from "../clock/Dot.ts"
import { compareValues, type Sibling } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import * as CounterTotal from "./CounterTotal.ts"
import type { Put } from "./Children.ts"
import {
  type Counter,
  type DotStore,
  emptyTree,
  type PerActorTotal,
  treeAfter
} from "./DotStore.ts"
import type { TreeEdit } from "./TreeEdit.ts"

/** A removal at `path` that had seen more than this document has yet. Its dot is its event. */
export interface Deferral extends Dot {
  readonly seen: VersionVector.VersionVector
  readonly path: ReadonlyArray<string>
}

/**
 * Orders removals of one dot, by what they had seen and where they remove. Where they differ, the
 * greater waits on; what the other one has removed before stays removed.
 */
export const compareDeferrals = (left: Deferral, right: Deferral): number =>
  compareValues(textOf(left), textOf(right))

const textOf = ({ path, seen }: Deferral): string =>
  JSON.stringify([VersionVector.sorted(seen), path])

/** The effect of a removal: dots by name, and counters by their sums. */
export interface Removed {
  readonly dots: ReadonlyArray<Dot>
  /** The same tree with each counter's removed sums; undefined where there is none. */
  readonly counters: DotStore | undefined
}

/** A removal that had seen an update of a counter which is not kept any more. */
export const tooOld = "too-old"

const removeTotals = (
  counter: Counter,
  seen: VersionVector.VersionVector
): Counter | typeof tooOld | undefined => {
  const totals = new Map<Actor, PerActorTotal>()
  for (const [actor, total] of counter.totals) {
    const update = CounterTotal.taken(total, seen.get(actor) ?? 0)
    if (update === "too-old") return tooOld
    if (update !== undefined) totals.set(actor, CounterTotal.removedUpTo(update))
  }
  return totals.size === 0 ? undefined : { kind: "counter", totals }
}

/**
 * The effect of a removal of all of `store` that has seen `seen`: of each actor in a counter, it
 * takes the sum at the last update that it had seen.
 *
 * **Requires** that all of `seen` is in the context of the document, if there are counters.
 */
export const removeSeen = (
  store: DotStore | undefined,
  seen: VersionVector.VersionVector
): Removed | typeof tooOld => {
  const dots: Array<Dot> = []
  const visit = (here: DotStore): DotStore | typeof tooOld | undefined => {
    switch (here.kind) {
      case "latest":
        return undefined
      case "values":
        for (const { actor, counter } of here.siblings) {
          if (VersionVector.contains(seen, actor, counter)) dots.push({ actor, counter })
        }
        return undefined
      case "counter":
        return removeTotals(here, seen)
      case "tree": {
        const kept: Array<Put> = []
        for (const [key, child] of here.children) {
          const counters = visit(child)
          if (counters === tooOld) return tooOld
          if (counters !== undefined) kept.push([key, counters])
        }
        return treeAfter(emptyTree, kept)
      }
    }
  }
  const counters = store === undefined ? undefined : visit(store)
  return counters === tooOld ? tooOld : { dots, counters }
}

const keepUnseen = (
  siblings: ReadonlyArray<Sibling>,
  seen: VersionVector.VersionVector
): ReadonlyArray<Sibling> => {
  const kept = siblings.filter((s) => !VersionVector.contains(seen, s.actor, s.counter))
  return kept.length === siblings.length ? siblings : kept
}

/** `store` without the values that were seen; itself if unchanged. */
const withoutSeen = (
  store: DotStore | undefined,
  seen: VersionVector.VersionVector
): DotStore | undefined => {
  if (store?.kind === "values") {
    const siblings = keepUnseen(store.siblings, seen)
    if (siblings === store.siblings) return store
    return siblings.length === 0 ? undefined : { kind: "values", siblings }
  }
  if (store?.kind !== "tree") return store
  const puts: Array<Put> = []
  for (const [key, child] of store.children) {
    const left = withoutSeen(child, seen)
    if (left !== child) puts.push([key, left])
  }
  return treeAfter(store, puts)
}

/**
 * Removes the values at and below each deferral's path that the deferral had seen. Counters are not
 * deferred (see the README of this room).
 */
export const removeDeferred = (edit: TreeEdit, deferrals: ReadonlyArray<Deferral>): void => {
  for (const { path, seen } of deferrals) edit.put(path, withoutSeen(edit.at(path), seen))
}
