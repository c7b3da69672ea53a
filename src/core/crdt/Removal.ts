/**
 * Removes the dots that a removal has seen, and no others.
 *
 * A removal names dots. Those it saw that are here are dropped at once. Those it saw that are not
 * here yet are the reason for a `Deferral`: the removal is kept, with the history it had seen,
 * until the document's context covers that, and removes them as they arrive. basho/riak_dt#99 shows
 * the fault of deferrals kept inside the field they concern; here they stand beside the state.
 */
import type { Dot } from "../clock/Dot.ts"
import type { Sibling } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import type { Counter, DotStore, PerActorTotal } from "./DotStore.ts"
import type { TreeEdit } from "./TreeEdit.ts"

/** A removal at `path` that had seen more than this document has yet. Its dot is its event. */
export interface Deferral extends Dot {
  readonly seen: VersionVector.VersionVector
  readonly path: ReadonlyArray<string>
}

/** The effect of a removal: dots by name, and counters by their totals. */
export interface Removed {
  readonly dots: ReadonlyArray<Dot>
  /** The same tree with every counter's totals marked removed; undefined where there is none. */
  readonly counters: DotStore | undefined
}

const removeTotals = (counter: Counter, seen: VersionVector.VersionVector): Counter | undefined => {
  const totals = new Map<string, PerActorTotal>()
  for (const [actor, total] of counter.totals) {
    // An actor that counted on since stays whole: how much of it was seen is not known.
    if (total.counter === total.removedCounter) continue
    if (!VersionVector.contains(seen, actor, total.counter)) continue
    totals.set(actor, {
      ...total,
      removedCounter: total.counter,
      removedAdded: total.added,
      removedTaken: total.taken
    })
  }
  return totals.size === 0 ? undefined : { kind: "counter", totals }
}

/** The effect of a removal of all of `store` that has seen `seen`. */
export const removeSeen = (
  store: DotStore | undefined,
  seen: VersionVector.VersionVector
): Removed => {
  const dots: Array<Dot> = []
  const visit = (here: DotStore): DotStore | undefined => {
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
        const children = new Map<string, DotStore>()
        for (const [key, child] of here.children) {
          const counters = visit(child)
          if (counters !== undefined) children.set(key, counters)
        }
        return children.size === 0 ? undefined : { kind: "tree", children }
      }
    }
  }
  const counters = store === undefined ? undefined : visit(store)
  return { dots, counters }
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
  let changed: Map<string, DotStore> | undefined
  for (const [key, child] of store.children) {
    const left = withoutSeen(child, seen)
    if (left === child) continue
    changed ??= new Map(store.children)
    if (left === undefined) changed.delete(key)
    else changed.set(key, left)
  }
  if (changed === undefined) return store
  return changed.size === 0 ? undefined : { kind: "tree", children: changed }
}

/**
 * Removes the values at and below each deferral's path that the deferral had seen. Counters are not
 * deferred (see the README of this room).
 */
export const removeDeferred = (edit: TreeEdit, deferrals: ReadonlyArray<Deferral>): void => {
  for (const { path, seen } of deferrals) edit.put(path, withoutSeen(edit.at(path), seen))
}
