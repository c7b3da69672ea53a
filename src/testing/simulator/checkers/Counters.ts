/**
 * Checks counters: each increment added its own power of four, so a digit of the sum, to base four,
 * says how often it was applied. A delete takes away the increments that it had seen, and no
 * others, whichever node carries it out.
 */
import type { Checker } from "../History.ts"
import { ofKind } from "./AddWins.ts"
import { documentsOf, finalShown, finder, mayTake, mustTake, type Told } from "./Judging.ts"

const name = "counter"

/** How often the increment of a digit is in a sum. */
export const timesOf = (value: unknown, digit: number): number =>
  typeof value === "number" ? Math.floor(value / 4 ** digit) % 4 : 0

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  const deletes = ofKind(told, "delete")
  for (const increment of told.writes) {
    const { event: { operation: { action } }, id, outcome } = increment
    if (action.kind !== "increment") continue
    const mayBeTaken = deletes.some((removal) => mayTake(removal, increment))
    const taking = deletes.find((removal) => mustTake(removal, increment))
    for (const [node, { value }] of finalShown(told)) {
      const times = timesOf(value, action.digit)
      if (times > 1) add(`at ${node}, o${id} counts ${times} times`)
      if (times === 1 && outcome === "fail") add(`at ${node}, o${id} counts, which did not happen`)
      if (times === 1 && taking !== undefined) {
        add(`at ${node}, o${id} counts, though o${taking.id} had seen it`)
      }
      if (times === 0 && outcome === "ok" && !mayBeTaken) {
        add(`at ${node}, o${id} was acknowledged and is lost`)
      }
    }
  }
  return found
}

export const counters: Checker = {
  name,
  promise:
    "an acknowledged increment counts once, unless a delete had seen it; a refused one never",
  check: (record) => documentsOf(record, "counts").flatMap(check)
}
