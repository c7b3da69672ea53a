/**
 * Checks counters: each increment added its own power of four, so a digit of the sum, to base
 * four, says how often it was applied.
 */
import type { Checker } from "../History.ts"
import { documentsOf, finalShown, finder, type Told } from "./Judging.ts"

const name = "counter"

/** How often the increment of a digit is in a sum. */
export const timesOf = (value: unknown, digit: number): number =>
  typeof value === "number" ? Math.floor(value / 4 ** digit) % 4 : 0

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  for (const { event: { operation }, id, outcome } of told.writes) {
    const { action } = operation
    if (action.kind !== "increment") continue
    for (const [node, { value }] of finalShown(told)) {
      const times = timesOf(value, action.digit)
      if (times > 1) add(`at ${node}, o${id} counts ${times} times`)
      if (times === 1 && outcome === "fail") add(`at ${node}, o${id} counts, which did not happen`)
      if (times === 0 && outcome === "ok") add(`at ${node}, o${id} was acknowledged and is lost`)
    }
  }
  return found
}

export const counters: Checker = {
  name,
  promise: "an acknowledged increment counts once, a refused one never, any other at most once",
  check: (record) => documentsOf(record, "counts").flatMap(check)
}
