/**
 * Checks that a context names a state: each change makes a dot, so two answers with the same
 * context show the same. The last reads alone would not show it: later writes hide a difference.
 */
import { sorted } from "../../../core/clock/VersionVector.ts"
import type { Checker } from "../History.ts"
import { simBuckets } from "../SimBuckets.ts"
import { allShown, documentsOf, finder, type Told } from "./Judging.ts"

const name = "equal contexts"

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  const known = new Map<string, { readonly by: string; readonly value: string }>()
  for (const { by, shown } of allShown(told)) {
    const context = JSON.stringify(sorted(shown.vector))
    const value = JSON.stringify(shown.value) ?? "nothing"
    const before = known.get(context)
    if (before === undefined) known.set(context, { by, value })
    else if (before.value !== value) {
      add(`${before.by} was shown ${before.value}, and ${by} ${value} under the same context`)
    }
  }
  return found
}

export const equalContexts: Checker = {
  name,
  promise: "two answers with the same context show the same",
  check: (record) => simBuckets.flatMap((bucket) => documentsOf(record, bucket.name).flatMap(check))
}
