/**
 * Checks buckets that keep siblings: every acknowledged write is there in the end, or was replaced
 * by one that had seen it; no replaced value is there; no value is there twice.
 */
import type { Checker, Shown } from "../History.ts"
import { operationOf } from "../Plan.ts"
import {
  documentsOf,
  finalShown,
  finder,
  hasAll,
  hasAny,
  mayTake,
  mustTake,
  type Told,
  type ToldWrite
} from "./Judging.ts"

const name = "siblings"

export const siblingsOf = (shown: Shown | undefined): ReadonlyArray<number> =>
  Array.isArray(shown?.value) ? shown.value.flatMap((value) => operationOf(value) ?? []) : []

const isBlindDelete = ({ event: { operation: { action }, saw } }: ToldWrite): boolean =>
  action.kind === "delete" && saw === undefined

/** Whether `later` replaced `earlier`: its client had been shown it. */
export const replaces = (later: ToldWrite, earlier: ToldWrite): boolean =>
  later.outcome !== "fail" && later !== earlier
  && (siblingsOf(later.event.saw).includes(earlier.id)
    || isBlindDelete(later) && mayTake(later, earlier))

/** Whether a write is accounted for: there, or replaced by one that is accounted for. */
const accounted = (
  told: Told,
  write: ToldWrite,
  present: ReadonlySet<number>,
  on: ReadonlySet<ToldWrite>
): boolean => {
  if (present.has(write.id)) return true
  return told.writes.some((later) => {
    if (on.has(later) || !replaces(later, write)) return false
    // An acknowledged one is judged by itself.
    return later.outcome === "ok" || later.event.operation.action.kind === "delete"
      || accounted(told, later, present, new Set([...on, later]))
  })
}

/** Values that an acknowledged or shown write had seen, and that are still shown. */
const zombies = (told: Told, shown: Shown, isFinal: boolean): ReadonlyArray<string> =>
  siblingsOf(shown).flatMap((id) => {
    const write = told.writes.find((candidate) => candidate.id === id)
    if (write === undefined) return []
    const later = told.writes.find((candidate) => {
      const { saw } = candidate.event
      if (candidate === write || candidate.outcome === "fail") return false
      if (isFinal && isBlindDelete(candidate) && mustTake(candidate, write)) return true
      return saw !== undefined && hasAll(saw.vector, write.applied)
        && (isFinal && candidate.outcome === "ok" || hasAny(shown.vector, candidate.applied))
    })
    return later === undefined ? [] : [`o${id} is shown though o${later.id} had seen it`]
  })

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  const puts = told.writes.filter(({ event }) => event.operation.action.kind === "put")
  for (const [node, shown] of finalShown(told)) {
    const siblings = siblingsOf(shown)
    const present = new Set(siblings)
    for (const write of puts) {
      if (write.outcome !== "ok" || accounted(told, write, present, new Set([write]))) continue
      add(`o${write.id} was acknowledged and is lost at ${node}`)
    }
    for (const zombie of zombies(told, shown, true)) add(`at ${node}, ${zombie}`)
  }
  for (const { operation, result } of told.events) {
    if (result === undefined) continue
    for (const zombie of zombies(told, result, false)) add(`to o${operation.id}, ${zombie}`)
    const siblings = siblingsOf(result)
    const double = siblings.find((id, index) => siblings.indexOf(id) !== index)
    const twice = told.writes.find(({ id }) => id === double)
    if (twice?.isOnce === true) add(`to o${operation.id}, o${double} is shown twice`)
  }
  return found
}

export const siblings: Checker = {
  name,
  promise: "an acknowledged write is there or was seen by one that replaced it; none comes back",
  check: (record) => documentsOf(record, "notes").flatMap(check)
}
