/**
 * Checks buckets in which the last write wins: in the end every node shows the acknowledged write
 * with the greatest stamp, or one of unknown outcome, and never one that an acknowledged write had
 * seen and replaced, under any clocks.
 */
import type { Checker, Shown } from "../History.ts"
import { operationOf } from "../Plan.ts"
import { documentsOf, finalShown, finder, type Told, type ToldWrite } from "./Judging.ts"

const name = "last-write-wins"

/**
 * The stamp that an acknowledged write has at least: one of several incarnations may be forgotten.
 */
export const stampOf = ({ applied: { stamps } }: ToldWrite): number =>
  stamps.length === 0 ? 0 : Math.min(...stamps)

const shows = (shown: Shown | undefined, write: ToldWrite): boolean =>
  operationOf(shown?.value) === write.id

/** A write, with its stamp: one that was carried out twice has two, and may have been seen once. */
interface Stamped {
  readonly write: ToldWrite
  readonly stamp: number
}

/** Whether `later` was made after its client, or its session, had seen or made `earlier`. */
const follows = (told: Told, later: ToldWrite, earlier: Stamped, guarded: boolean): boolean => {
  const { stamp, write } = earlier
  const { invokedAt, operation: { session }, saw } = later.event
  if (shows(saw, write) && saw !== undefined && saw.stamp >= stamp) return true
  if (!guarded) return false
  return told.events.some(({ endedAt, operation, outcome, result }) =>
    outcome === "ok" && operation.session === session && endedAt <= invokedAt
    && (operation.id === write.id || shows(result, write)) && (result?.stamp ?? 0) >= stamp
  )
}

/** An acknowledged write that came after `winner`, directly or by others that were seen. */
const replacedBy = (
  told: Told,
  winner: Stamped,
  guarded: ReadonlySet<number>
): ToldWrite | undefined => {
  const after = new Set<ToldWrite>([winner.write])
  for (const earlier of after) {
    for (const later of told.writes) {
      if (after.has(later) || later.outcome === "fail") continue
      const isGuarded = guarded.has(later.event.operation.session)
      const stamped = earlier === winner.write ? winner : { write: earlier, stamp: 0 }
      if (!follows(told, later, stamped, isGuarded)) continue
      if (later.outcome === "ok") return later
      after.add(later)
    }
  }
  return undefined
}

const check = (told: Told, guarded: ReadonlySet<number>) => {
  const { add, found } = finder(name, told)
  const { writes } = told
  for (const write of writes) {
    const { event: { result }, id, outcome, sentOnce } = write
    const own = write.event.operation.action.kind === "put" ? id : undefined
    if (outcome === "ok" && sentOnce && operationOf(result?.value) !== own) {
      add(`o${id} was acknowledged with another value: ${JSON.stringify(result?.value)}`)
    }
  }
  for (const [node, shown] of finalShown(told)) {
    const winner = writes.find((write) =>
      write.outcome !== "fail" && write.applied.stamps.includes(shown.stamp)
      && (write.event.operation.action.kind === "put" ? write.id : undefined)
        === operationOf(shown.value)
    )
    const lost = writes.find((write) => write.outcome === "ok" && stampOf(write) > shown.stamp)
    const at = `at ${node}, ${JSON.stringify(shown.value)} with stamp ${shown.stamp}`
    if (lost !== undefined) add(`${at} though o${lost.id} has stamp ${stampOf(lost)}`)
    if (winner !== undefined) {
      const later = replacedBy(told, { write: winner, stamp: shown.stamp }, guarded)
      if (later !== undefined) add(`${at} though o${later.id} had seen it`)
    } else if (shown.value !== undefined || writes.some(({ outcome }) => outcome === "ok")) {
      add(`${at}, which no write explains`)
    }
  }
  return found
}

export const lastWriteWins: Checker = {
  name,
  promise: "the greatest stamp wins everywhere, and a write that saw another has the greater one",
  check: (record) => documentsOf(record, "registers").flatMap((told) => check(told, record.guarded))
}
