/**
 * Finds the violations of a run of an application's bucket: of the application's own invariant, of
 * the laws of its merge, and of the store's promises for every bucket.
 */
import type { Any } from "../../core/strategy/Bucket.ts"
import * as MergeLaws from "../laws/MergeLaws.ts"
import * as Values from "../laws/Values.ts"
import { availability, convergence, identity } from "../simulator/checkers/ClusterPromises.ts"
import {
  documentsOf,
  everywhere,
  finalShown,
  finder,
  hasAny,
  mayTake,
  type Told,
  type ToldWrite
} from "../simulator/checkers/Judging.ts"
import type { Event, Record, Violation } from "../simulator/History.ts"
import { isWrite } from "../simulator/Plan.ts"
import { startOf } from "./Account.ts"
import { type Brought, Grown, keyOf, type SeedSetting } from "./Clients.ts"

/** The application's invariant of a document, given its clients' operations on it. */
export type AnyInvariant = (view: any, told: any) => string | undefined

/** One run, as it is judged. */
export interface Judged {
  readonly setting: SeedSetting
  readonly invariant: AnyInvariant | undefined
  readonly brought: ReadonlyMap<number, Brought>
  readonly record: Record
}

type Judge = (judged: Judged, told: Told) => ReadonlyArray<Violation>

/** Errors that blame the application's input; the others are the cluster's. */
const blaming = /^(InvalidKey|InvalidValue|Undecodable|UnknownOperation): /u

const accepted = (events: ReadonlyArray<Event>): ReadonlyArray<Violation> =>
  events.flatMap(({ error, operation: { action, bucket, key } }) => {
    if (error === undefined || !blaming.test(error)) return []
    const name = action.kind === "step" ? action.name : action.kind
    return [{ checker: "accepted", bucket, key, problem: `${name} is refused: ${error}` }]
  })

const nameOf = ({ event: { operation: { action } } }: ToldWrite): string =>
  action.kind === "step" ? action.name : action.kind

const acknowledged: Judge = (_judged, told) => {
  const { add, found } = finder("acknowledged", told)
  for (const write of told.writes.filter(({ outcome }) => outcome === "ok")) {
    const node = finalShown(told).find(([, { vector }]) => !hasAny(vector, write.applied))?.[0]
    if (node !== undefined) add(`${node} has forgotten a ${nameOf(write)} that was acknowledged`)
  }
  return found
}

const absorbed: Judge = ({ brought, setting }, told) => {
  const { add, found } = finder("absorbed", told)
  const { areGenerated, bucket } = setting
  const { applicationMerge } = bucket.code
  const [codec] = bucket.code.arguments.get("put") ?? []
  if (applicationMerge === undefined || codec === undefined) return found
  const { merge, same } = MergeLaws.mergeSubjectOf(codec, applicationMerge)
  for (const write of told.writes.filter(({ outcome }) => outcome === "ok")) {
    const { input, written } = brought.get(write.id) ?? {}
    const isTaken = told.writes.some((other) => other !== write && mayTake(other, write))
    if (isTaken && !areGenerated) continue
    const value = Values.textOf(codec, areGenerated ? input : written)
    for (const [node, shown] of finalShown(told)) {
      if (shown.value === undefined) continue
      const text = Values.textOf(codec, codec.decode(shown.value))
      // Merged with itself, a value is as the merge writes it: sorted, for example.
      const whole = merge(text, text)
      const values = `shown = ${text}\nacknowledged = ${value}`
      const left = merge(text, value)
      const right = merge(value, text)
      if (!same(left, whole)) add(`${node}, merge(shown, acknowledged) = ${left}\n${values}`)
      if (!same(right, whole)) add(`${node}, merge(acknowledged, shown) = ${right}\n${values}`)
    }
  }
  return found
}

/** The result of a read, of the JSON that was shown; undefined where there is none. */
const viewOf = ({ code, surface }: Any, value: unknown): unknown => {
  if (value === undefined) return undefined
  const isList = code.merge === undefined && surface.includes("replace") && Array.isArray(value)
  const values: ReadonlyArray<unknown> = isList ? value : [value]
  return values.length === 0 ? undefined : code.decodeView(values)
}

const expected: Judge = ({ brought, invariant, record, setting: { bucket } }, told) => {
  const { add, found } = finder("invariant", told)
  if (invariant === undefined) return found
  const startAt = startOf(record)
  const doneOf = (outcome: ToldWrite["outcome"]) =>
    told.writes.filter((write) => write.outcome === outcome).map((write) => ({
      operation: nameOf(write),
      input: brought.get(write.id)?.input,
      beganAt: write.event.invokedAt - startAt,
      endedAt: write.event.endedAt - startAt
    })).sort((a, b) => a.beganAt - b.beganAt)
  for (const [node, { value }] of finalShown(told)) {
    const problem = problemOf(() =>
      invariant(viewOf(bucket, value), {
        key: keyOf(bucket, told.key),
        acknowledged: doneOf("ok"),
        unknown: doneOf("info")
      })
    )
    if (problem !== undefined) add(`${node}: ${problem}`)
  }
  return found
}

const problemOf = (check: () => string | undefined): string | undefined => {
  try {
    return check()
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

/** A write that is only in memory when it is acknowledged is lost with the process. */
const withoutForfeits = (record: Record, bucket: Any): Record => {
  const incarnations = record.incarnations.length
  const nodes = new Set(record.incarnations.map(({ node }) => node)).size
  if (bucket.definition.durability !== "buffered" || incarnations === nodes) return record
  const events = record.events.map((event): Event =>
    isWrite(event.operation) && event.outcome === "ok" ? { ...event, outcome: "info" } : event
  )
  return { ...record, events }
}

/** The violations of a run, those that an application understands best first. */
export const judge = (judged: Judged): ReadonlyArray<Violation> => {
  const { bucket } = judged.setting
  const record = withoutForfeits(judged.record, bucket)
  const documents = documentsOf(record, bucket.name)
  return [
    ...accepted(record.events),
    ...documents.flatMap((told) => expected(judged, told)),
    ...documents.flatMap((told) => absorbed(judged, told)),
    ...documents.flatMap((told) => acknowledged(judged, told)),
    ...convergence.check(record),
    ...availability.check(record),
    ...identity.check(record)
  ]
}

/** The exception of a run, from a merge or from the store itself. */
export const brokenOff = (thrown: unknown): ReadonlyArray<Violation> => {
  const problem = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  return everywhere(thrown instanceof Grown ? "growth" : "run", [problem])
}
