/**
 * Checks buckets in which the last write wins: in the end every node shows the acknowledged write
 * with the greatest stamp, or one of unknown outcome, and never one that an acknowledged write had
 * seen and replaced, under any clocks.
 */
import type { Checker, Shown } from "../History.ts"
import { operationOf } from "../Plan.ts"
import { epochMillis } from "../SimRuntime.ts"
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

/** More than two readings of one clock differ by, and than clocks drift while a reading counts. */
const clockMarginMillis = 30

/**
 * Whether `later` was begun so long after `earlier` was acknowledged that every clock of the
 * cluster agrees: those that were furthest off, one ahead and one behind.
 */
const isLaterByAnyClock = (later: ToldWrite, earlier: ToldWrite): boolean => {
  const { clockErrorMillis = Infinity, invokedAt } = later.event
  return invokedAt - earlier.event.endedAt > 2 * clockErrorMillis + clockMarginMillis
}

/** Acknowledged writes that lose to ones which had been acknowledged long before they began. */
const beatenByOlder = ({ writes }: Told): ReadonlyArray<string> => {
  const known = writes.filter(({ applied, outcome }) =>
    outcome === "ok" && applied.stamps.length > 0
  )
  return known.flatMap((later) =>
    known.filter((earlier) =>
      earlier.sentOnce && isLaterByAnyClock(later, earlier) && stampOf(later) <= stampOf(earlier)
    ).map((earlier) =>
      `o${later.id} has stamp ${stampOf(later)}, though o${earlier.id} with ${stampOf(earlier)} `
      + `was acknowledged ${later.event.invokedAt - earlier.event.endedAt} ms before it began`
    )
  )
}

/** Acknowledged writes whose stamps are of another time than theirs, by every clock. */
const stampedAmiss = ({ writes }: Told): ReadonlyArray<string> =>
  writes.filter(({ outcome, sentOnce }) => outcome === "ok" && sentOnce).flatMap((write) => {
    const { applied: { stamps }, event: { clockErrorMillis = Infinity, endedAt, invokedAt }, id } =
      write
    const off = clockErrorMillis + clockMarginMillis
    return stamps.map((stamp) => stamp / 1_000 - epochMillis)
      .filter((millis) => millis < invokedAt - off || millis > endedAt + off)
      .map((millis) =>
        `o${id} of ${invokedAt} to ${endedAt} ms is stamped ${Math.round(millis)} ms, though no `
        + `clock was off by more than ${clockErrorMillis} ms`
      )
  })

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

/** The operation whose value is shown after this write. */
const valueOf = ({ event: { operation }, id }: ToldWrite): number | undefined =>
  operation.action.kind === "put" ? id : undefined

/**
 * Whether the answer of an acknowledged write shows it. One that was sent on or again may show a
 * later write, which had begun when the answer came.
 */
const acknowledges = (write: ToldWrite, writes: ReadonlyArray<ToldWrite>): boolean => {
  const { event: { endedAt, result }, sentOnce } = write
  const shown = operationOf(result?.value)
  if (shown === valueOf(write)) return true
  return !sentOnce
    && writes.some((later) =>
      later !== write && valueOf(later) === shown && later.outcome !== "fail"
      && later.event.invokedAt <= endedAt && (result?.stamp ?? 0) >= stampOf(write)
    )
}

const check = (told: Told, guarded: ReadonlySet<number>) => {
  const { add, found } = finder(name, told)
  const { writes } = told
  for (const write of writes) {
    const { event: { result }, id, outcome } = write
    if (outcome === "ok" && !acknowledges(write, writes)) {
      add(`o${id} was acknowledged with another value: ${JSON.stringify(result?.value)}`)
    }
  }
  for (const problem of [...beatenByOlder(told), ...stampedAmiss(told)]) add(problem)
  for (const [node, shown] of finalShown(told)) {
    const winner = writes.find((write) =>
      write.outcome !== "fail" && write.applied.stamps.includes(shown.stamp)
      && valueOf(write) === operationOf(shown.value)
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
  promise:
    "the greatest stamp wins everywhere, and that of a write which saw another, or which is later "
    + "by every clock, is the greater one",
  check: (record) => documentsOf(record, "registers").flatMap((told) => check(told, record.guarded))
}
