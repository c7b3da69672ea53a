/**
 * Sorts a run's history by document, and says how much each operation counts.
 */
import * as VersionVector from "../../../core/clock/VersionVector.ts"
import type {
  Applied,
  Event,
  FinalDocument,
  Outcome,
  Record,
  Shown,
  Violation
} from "../History.ts"
import { documentNameOf, isWrite } from "../Plan.ts"

/** An operation that wrote, or tried to. */
export interface ToldWrite {
  readonly event: Event
  readonly id: number
  /** `ok` only where the promise of durability holds; a forfeit write counts as `info`. */
  readonly outcome: Outcome
  readonly applied: Applied
  /** Whether its client was promised that it is carried out once at most. */
  readonly isOnce: boolean
  /** Whether the client was told that it was not carried out, and that must be so. */
  readonly isRefused: boolean
  /**
   * Whether it reached its coordinator only once. A request that is sent again, by its client or by
   * a node that forwards it, may be answered from its operation id, with later writes in the
   * answer.
   */
  readonly sentOnce: boolean
}

/** All that happened to one document. */
export interface Told {
  readonly bucket: string
  readonly key: string
  readonly events: ReadonlyArray<Event>
  readonly writes: ReadonlyArray<ToldWrite>
  readonly final: FinalDocument
}

const notApplied: Applied = { dots: [], stamps: [] }

/** Of two processes under one id, one may refuse a request that the other carries out. */
const isRefused = ({ operation, outcome }: Event, { makers, twinned }: Record): boolean =>
  outcome === "fail" && ![...makers.get(operation.id) ?? []].some((node) => twinned.has(node))

/** Whether a node ran under one incarnation, and kept what it had. */
const lived = ({ damaged, incarnations }: Record, node: string): boolean =>
  !damaged.has(node)
  && incarnations.filter((incarnation) => incarnation.node === node).length === 1

/** A user's own name is known only while a node that carried it out remembers it. */
export const isOnce = ({ isNamed, operation, timesMax }: Event, record: Record): boolean =>
  timesMax === 1
  && (!isNamed || [...record.makers.get(operation.id) ?? []].every((node) => lived(record, node)))

/**
 * Whether no disk had it, when it was acknowledged, that lost nothing in this run. A stand-in hands
 * its copy over to an owner, and keeps none: from then on it is that owner's disk that has it.
 */
const isForfeit = (
  { endedAt, operation }: Event,
  { copies, damaged }: Record,
  { primaries }: FinalDocument
): boolean => {
  if (damaged.size === 0 || operation.consistency !== "available") return false
  const isOwnerDamaged = primaries.some((node) => damaged.has(node))
  return ![...copies.get(operation.id) ?? []].some(([node, at]) =>
    !damaged.has(node) && at <= endedAt && (primaries.includes(node) || !isOwnerDamaged)
  )
}

/**
 * The outcome to judge by. A write that only one replica acknowledged may be gone where its disk
 * was damaged; an operation without any dot did not happen. A dot may have been made and sent, and
 * reach a disk later.
 */
const outcomeOf = (
  event: Event,
  applied: Applied,
  { final, record }: { readonly record: Record; readonly final: FinalDocument }
): Outcome => {
  if (isRefused(event, record)) return "fail"
  if (event.outcome === "ok" && !isForfeit(event, record, final)) return "ok"
  return applied.dots.length > 0 || record.makers.has(event.operation.id) ? "info" : "fail"
}

/** Whether no node forwarded it: a primary does so too, where it cannot write. */
const isCarriedOutThere = (
  { operation: { id, node } }: Event,
  { primaries }: FinalDocument,
  { makers }: Record
): boolean => primaries.includes(node) && [...makers.get(id) ?? []].every((maker) => maker === node)

export const documentsOf = (record: Record, bucket: string): ReadonlyArray<Told> =>
  record.final.filter((final) => final.bucket === bucket).map((final) => {
    const { key } = final
    const name = documentNameOf(final)
    const events = record.events.filter(({ operation }) => documentNameOf(operation) === name)
    const writes = events.filter(({ operation }) => isWrite(operation)).map((event): ToldWrite => {
      const { id } = event.operation
      const applied = record.applied.get(id) ?? notApplied
      return {
        event,
        id,
        applied,
        outcome: outcomeOf(event, applied, { record, final }),
        isOnce: isOnce(event, record),
        isRefused: isRefused(event, record),
        sentOnce: event.sendings === 1 && isCarriedOutThere(event, final, record)
      }
    })
    return { bucket, key, events, writes, final }
  })

/** The last reads of a document, node by node. */
export const finalShown = (told: Told): ReadonlyArray<readonly [string, Shown]> =>
  [...told.final.shown].flatMap(([node, shown]) =>
    typeof shown === "string" ? [] : [[node, shown] as const]
  )

/** Every view of a document that a client was shown, when, and whether in a session. */
export const allShown = (
  told: Told
): ReadonlyArray<{ readonly shown: Shown; readonly by: string; readonly at: number }> => [
  ...told.events.flatMap(({ endedAt, operation, result }) =>
    result === undefined ? [] : [{ shown: result, by: `o${operation.id}`, at: endedAt }]
  ),
  ...finalShown(told).map(([node, shown]) => ({ shown, by: `the end at ${node}`, at: Infinity }))
]

/** Whether a context has all, or any, of the dots of a write. */
export const hasAll = (vector: VersionVector.VersionVector, { dots }: Applied): boolean =>
  dots.length > 0
  && dots.every(({ actor, counter }) => VersionVector.contains(vector, actor, counter))

export const hasAny = (vector: VersionVector.VersionVector, { dots }: Applied): boolean =>
  dots.some(({ actor, counter }) => VersionVector.contains(vector, actor, counter))

/** Whether an operation that removes the values it saw may have removed that of `write`. */
export const mayTake = (remover: ToldWrite, write: ToldWrite): boolean => {
  const { result, saw } = remover.event
  if (remover.outcome === "fail") return false
  // A blind removal removes the values that the node holds, as its answer's context tells, unless
  // another incarnation did the same before.
  const seen = saw ?? (remover.applied.dots.length > 1 ? undefined : result)
  return seen === undefined || hasAny(seen.vector, write.applied)
}

/** Whether it has certainly taken it. */
export const mustTake = (remover: ToldWrite, write: ToldWrite): boolean => {
  const { event: { result, saw }, outcome, sentOnce } = remover
  if (outcome !== "ok") return false
  if (saw !== undefined) return hasAll(saw.vector, write.applied)
  return result !== undefined && sentOnce && hasAll(result.vector, write.applied)
}

/** Collects the violations that a checker finds in one document. */
export const finder = (
  checker: string,
  told: { readonly bucket: string; readonly key: string }
) => {
  const found: Array<Violation> = []
  const { bucket, key } = told
  const add = (problem: string): void => void found.push({ checker, bucket, key, problem })
  return { add, found }
}

/** The violations that concern no single document. */
export const everywhere = (
  checker: string,
  problems: ReadonlyArray<string>
): ReadonlyArray<Violation> =>
  problems.map((problem) => ({ checker, bucket: "", key: "", problem }))
