/**
 * Checks strict reads against strict writes while nodes are away, wiped or without the end of their
 * log: a read at the end, with all replicas, would find what a read in between denied.
 *
 * A strict write is acknowledged by a majority, and so is each answer to a strict read, so that one
 * replica is in both: the read's context has the write, or another write that had seen it.
 */
import type { Checker, Event, Loss, Record } from "../History.ts"
import { isWrite } from "../Plan.ts"
import { simBuckets } from "../SimBuckets.ts"
import { documentsOf, finder, hasAny, type Told } from "./Judging.ts"

const name = "strict reads"

/** The losses, of three replicas, that a strict write need not survive. */
const lossesMax = 2

const isStrict = ({ operation: { consistency }, outcome }: Event): boolean =>
  consistency === "strict" && outcome === "ok"

/**
 * Whether the promise does not hold any more: as many replicas were lost as acknowledged the write,
 * or a disk took a row, or brought back an old one, and nothing in its file tells.
 */
const isExcused = (
  { final: { bucket, key, primaries } }: Told,
  losses: ReadonlyArray<Loss>,
  { from, to }: { readonly from: number; readonly to: number }
): boolean => {
  const here = losses.filter(({ at, node }) => at >= from && at <= to && primaries.includes(node))
  const stores = here.filter(({ document }) => document === undefined)
  return new Set(stores.map(({ node }) => node)).size >= lossesMax
    || here.some(({ document }) => document === `${bucket}/${key}`)
}

const check = (told: Told, { losses, twinned }: Record) => {
  const { add, found } = finder(name, told)
  // Two processes under one id are one replica that forgets.
  if (told.final.primaries.some((node) => twinned.has(node))) return found
  const writes = told.writes.filter(({ event }) => isStrict(event))
  const reads = told.events.filter((event) => isStrict(event) && !isWrite(event.operation))
  for (const { applied, event: write, id } of writes) {
    if (applied.dots.length === 0) continue
    for (const { endedAt, invokedAt, operation, result } of reads) {
      if (invokedAt < write.endedAt || result === undefined) continue
      if (hasAny(result.vector, applied)) continue
      if (isExcused(told, losses, { from: write.invokedAt, to: endedAt })) continue
      add(`o${operation.id} at ${operation.node} did not see o${id}, acknowledged before it`)
    }
  }
  return found
}

export const strictReads: Checker = {
  name,
  promise:
    "a strict read sees every strict write that was acknowledged before, though a replica was lost",
  check: (record) =>
    simBuckets.flatMap((bucket) =>
      documentsOf(record, bucket.name).flatMap((told) => check(told, record))
    )
}
