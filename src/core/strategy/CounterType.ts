/**
 * Counts up and down. Each actor keeps the sum of its own amounts, and only the latest sum of an
 * actor counts, so increments at different replicas add up and a repeated message changes nothing.
 *
 * @see Shapiro et al., A comprehensive study of CRDTs, 2011 (PN-Counter, 3.1.3)
 */
import * as CounterTotal from "../crdt/CounterTotal.ts"
import { at, type Counter, type DotStore, nest, type PerActorTotal } from "../crdt/DotStore.ts"
import { isFurther, isShowable, plus, shown, type Sum } from "../crdt/Sum.ts"
import { changed, invalid } from "./Mutations.ts"
import type { LeafOperation } from "./Strategy.ts"

const totalsOf = (store: DotStore | undefined): Counter["totals"] =>
  store?.kind === "counter" ? store.totals : new Map<string, PerActorTotal>()

const exactOf = (store: DotStore | undefined): Sum => {
  let sum: Sum = 0
  for (const total of totalsOf(store).values()) sum = plus(sum, CounterTotal.left(total))
  return sum
}

/**
 * The counter's value: all amounts that were not removed. Replicas that each stay within 2^53 - 1
 * may pass it together; the counter then shows 2^53 - 1, and the sum is exact all the same.
 */
export const valueOf = (store: DotStore | undefined): number => shown(exactOf(store))

const add: LeafOperation = {
  name: "add",
  args: ["integer"],
  mutate: (mutation, path) => {
    const by = mutation.args[0]
    if (typeof by !== "number" || !Number.isSafeInteger(by)) {
      return invalid("$[0]", "expected an integer from -(2^53 - 1) to 2^53 - 1")
    }
    const here = at(mutation.document.store, path)
    const before = exactOf(here)
    const after = plus(before, by)
    // A sum that replicas brought out of range together may come back in steps.
    if (!isShowable(after) && !isFurther(before, after)) {
      return invalid("$[0]", "the counter would pass 2^53 - 1")
    }
    const { counterUpdatesMax: updatesMax, dot: { actor, counter } } = mutation
    const mine = totalsOf(here).get(actor) ?? CounterTotal.none
    const totals = new Map([
      [actor, CounterTotal.updated(mine, { counter, amount: by, updatesMax })]
    ])
    return changed(mutation, { path, store: nest(path, { kind: "counter", totals }) })
  }
}

export const operations: ReadonlyArray<LeafOperation> = [add]
