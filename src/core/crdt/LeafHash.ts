/**
 * Hashes the content of a state that is no tree. It is a format, like `Mix64`.
 *
 * ```
 * leaf    = kind (1 latest, 2 values, 3 counter), then the kind's own fields
 * latest  = dot, stamp, 0 or 1 and the value
 * values  = count, then each as a dot, stamp and value
 * counter = count, then for each actor in order its name, removed, twice the count of its updates
 *           and 1 where earlier ones may be missing, updates
 * update  = counter, sum
 * dot     = actor, counter
 * sum     = 0 and a number; 1 and decimal digits where a number would not be exact
 * ```
 */
import { sortedKeys } from "../codec/SortedKeys.ts"
import type { Dot } from "../clock/Dot.ts"
import type { Mix64 } from "../Mix64.ts"
import type { CounterUpdate, Leaf } from "./StoreShapes.ts"

const mixDot = (mix: Mix64, { actor, counter }: Dot): Mix64 => mix.text(actor).number(counter)

const mixUpdate = (mix: Mix64, { counter, sum }: CounterUpdate): Mix64 => {
  mix.number(counter)
  return typeof sum === "number" ? mix.word(0).number(sum) : mix.word(1).text(sum.toString())
}

export const mixLeaf = (mix: Mix64, leaf: Leaf): Mix64 => {
  switch (leaf.kind) {
    case "latest":
      mixDot(mix.word(1), leaf).number(leaf.stamp)
      return leaf.value === null ? mix.word(0) : mix.word(1).text(leaf.value)
    case "values":
      mix.word(2).word(leaf.siblings.length)
      for (const sibling of leaf.siblings) {
        mixDot(mix, sibling).number(sibling.stamp).text(sibling.value)
      }
      return mix
    case "counter":
      mix.word(3).word(leaf.totals.size)
      for (const actor of sortedKeys(leaf.totals)) {
        const { isCut, removed, updates } = leaf.totals.get(actor)!
        mixUpdate(mix.text(actor), removed).word(2 * updates.length + Number(isCut))
        for (const update of updates) mixUpdate(mix, update)
      }
      return mix
  }
}
