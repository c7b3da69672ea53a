/**
 * Checks that readers are shown nothing that may vanish unseen: in a bucket that syncs its writes,
 * a disk has everything that any answer shows. So a crash alone makes nothing shown vanish.
 */
import type { Checker } from "../History.ts"
import { simBuckets } from "../SimBuckets.ts"
import { documentsOf, finder, type Told } from "./Judging.ts"

const name = "shown versions"

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  for (const { operation: { id }, unwritten = [] } of told.events) {
    if (unwritten.length > 0) add(`o${id} was shown what no disk has had: ${unwritten.join(", ")}`)
  }
  return found
}

export const shownVersions: Checker = {
  name,
  promise: "a disk has had everything that a client is shown",
  check: (record) =>
    simBuckets.filter(({ definition }) => definition.durability === "synced").flatMap((bucket) =>
      documentsOf(record, bucket.name).flatMap(check)
    )
}
