/**
 * Checks that no client is shown a value that was never written: every value comes from an
 * operation on that document, begun before it was shown, and not from one that was refused.
 */
import type { Checker } from "../History.ts"
import { simBuckets } from "../SimBuckets.ts"
import { atomsOf } from "./Atoms.ts"
import { allShown, documentsOf, finder, type Told } from "./Judging.ts"

const name = "inventions"

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  for (const { at, by, shown } of allShown(told)) {
    for (const atom of atomsOf(told, shown)) {
      const writers = told.writes.filter(({ event }) => atom.isBy(event.operation))
      const begun = writers.filter(({ event }) => event.invokedAt <= at)
      // A write that has not reached a disk may be shown all the same, and be gone later.
      const happened = begun.filter(({ isRefused }) => !isRefused)
      if (happened.length > 0) continue
      const why = begun.length > 0 ? "was refused" : "was never written"
      add(`to ${by}, ${atom.name} was shown, which ${why}`)
    }
  }
  return found
}

export const inventions: Checker = {
  name,
  promise: "every shown value was written there before, and not refused",
  check: (record) => simBuckets.flatMap((bucket) => documentsOf(record, bucket.name).flatMap(check))
}
