/**
 * Checks the outcomes that clients are told against the content of disks at that moment: later,
 * copies that were missing have arrived by other ways, and hide the fault.
 */
import type { Checker, Record } from "../History.ts"
import { simBuckets } from "../SimBuckets.ts"
import { documentsOf, finder, type Told } from "./Judging.ts"

const name = "acknowledgements"

/** The disks, of three, that a write must be on before it is acknowledged. */
const copiesNeeded = { available: 1, balanced: 2, strict: 2 }

const check = (told: Told, record: Record) => {
  const { add, found } = finder(name, told)
  for (const { event, id } of told.writes) {
    const makers = [...record.makers.get(id) ?? []].filter((node) => !record.twinned.has(node))
    if (event.outcome === "fail" && makers.length > 0) {
      add(`o${id} was refused, and carried out by ${makers.join(", ")}`)
    }
    if (event.outcome !== "ok") continue
    const since = [...record.copies.get(id)?.values() ?? []]
    const had = since.filter((at) => at <= event.endedAt).length
    const needed = copiesNeeded[event.operation.consistency]
    if (had < needed) add(`o${id} was on ${had} disks of ${needed} when it was acknowledged`)
  }
  return found
}

export const acknowledgements: Checker = {
  name,
  promise:
    "an acknowledged write is on as many disks as it asked for, a refused one was not carried out",
  check: (record) =>
    simBuckets.flatMap((bucket) =>
      documentsOf(record, bucket.name).flatMap((told) => check(told, record))
    )
}
