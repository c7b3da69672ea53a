/**
 * Removes a subtree of a data type's state, for every removal of the built-in types.
 */
import { at, hasCounter, nest } from "../crdt/DotStore.ts"
import { removeSeen, tooOld } from "../crdt/Removal.ts"
import { changed, deferrals } from "./Mutations.ts"
import type { Mutated, Mutation } from "./Strategy.ts"

/**
 * Removes all below `path` that the client has seen; if it does not say, all that is here.
 *
 * Content that the client has seen and this replica has not is deferred, except for counters, whose
 * amounts are not in a context: there the replica must catch up first. Where a counter does not
 * keep the sum that the client has seen any more, the client must read again.
 */
export const removeAt = (
  mutation: Mutation,
  path: ReadonlyArray<string>,
  options: { readonly counters: boolean }
): Mutated => {
  const { context, store } = mutation.document
  const deferred = deferrals(mutation, path)
  const here = at(store, path)
  if (deferred.length > 0 && (options.counters || hasCounter(here))) return { _tag: "ContextAhead" }
  const removed = removeSeen(here, mutation.seen?.vector ?? context)
  if (removed === tooOld) return { _tag: "ContextTooOld" }
  return changed(mutation, {
    path,
    store: removed.counters === undefined ? undefined : nest(path, removed.counters),
    replaces: removed.dots,
    deferred
  })
}
