/**
 * Counts up and down. Each actor keeps the sums it added and took away, and only the greatest of an
 * actor's totals counts, so increments at different replicas add up and a repeated message changes
 * nothing.
 *
 * @see Shapiro et al., A comprehensive study of CRDTs, 2011 (PN-Counter, 3.1.3)
 */
import { at, type Counter, type DotStore, nest, type PerActorTotal } from "../crdt/DotStore.ts"
import { changed, invalid } from "./Mutations.ts"
import type { LeafOperation } from "./Strategy.ts"

const zero: PerActorTotal = {
  counter: 0,
  added: 0,
  taken: 0,
  removedCounter: 0,
  removedAdded: 0,
  removedTaken: 0
}

const totalsOf = (store: DotStore | undefined): Counter["totals"] =>
  store?.kind === "counter" ? store.totals : new Map<string, PerActorTotal>()

const limit = Number.MAX_SAFE_INTEGER

/** The sum where the way there leaves the integers that a number holds exactly. */
const saturated = (store: DotStore | undefined): number => {
  let value = 0n
  for (const { added, removedAdded, removedTaken, taken } of totalsOf(store).values()) {
    value += BigInt(added - removedAdded) - BigInt(taken - removedTaken)
  }
  return Math.min(Math.max(Number(value), -limit), limit)
}

/**
 * The counter's value: everything added less everything taken, less everything removed. Replicas
 * that each stay within 2^53 - 1 may pass it together; the counter then shows 2^53 - 1.
 */
export const valueOf = (store: DotStore | undefined): number => {
  let value = 0
  for (const total of totalsOf(store).values()) {
    value += total.added - total.removedAdded - (total.taken - total.removedTaken)
    if (!Number.isSafeInteger(value)) return saturated(store)
  }
  return value
}

const add: LeafOperation = {
  name: "add",
  args: ["integer"],
  mutate: (mutation, path) => {
    const by = mutation.args[0]
    if (typeof by !== "number" || !Number.isSafeInteger(by)) {
      return invalid("$[0]", "expected an integer from -(2^53 - 1) to 2^53 - 1")
    }
    const { actor, counter } = mutation.dot
    const here = at(mutation.document.store, path)
    const before = totalsOf(here).get(actor) ?? zero
    const total = {
      ...before,
      counter,
      added: before.added + Math.max(by, 0),
      taken: before.taken + Math.max(-by, 0)
    }
    const fits = Number.isSafeInteger(total.added) && Number.isSafeInteger(total.taken)
      && Number.isSafeInteger(valueOf(here) + by)
    if (!fits) return invalid("$[0]", "the counter would pass 2^53 - 1")
    const totals = new Map([[actor, total]])
    return changed(mutation, { path, store: nest(path, { kind: "counter", totals }) })
  }
}

export const operations: ReadonlyArray<LeafOperation> = [add]
