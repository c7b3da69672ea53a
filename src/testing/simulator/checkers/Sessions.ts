/**
 * Checks sessions: a read shows the values that the session wrote and was shown of the document
 * before, or their replacements. It compares shown values and not contexts alone, since contexts
 * only say what should have been seen.
 *
 * @see Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994
 */
import * as VersionVector from "../../../core/clock/VersionVector.ts"
import type { Checker, Event, Shown } from "../History.ts"
import { isWrite } from "../Plan.ts"
import { simBuckets } from "../SimBuckets.ts"
import { itemOf } from "./AddWins.ts"
import { atomsOf } from "./Atoms.ts"
import { documentsOf, finder, hasAny, mayTake, type Told, type ToldWrite } from "./Judging.ts"
import { siblingsOf } from "./Siblings.ts"

const name = "sessions"

/**
 * Whether it replaces values it had not seen: of concurrent values of registers the stamp decides.
 */
const takesTheUnseen = (told: Told, { event: { operation: { action } } }: ToldWrite): boolean =>
  told.bucket === "registers" || action.kind === "title"

/** Whether `remover` may have removed a value that `writers` had put there. */
const mayExplain = (told: Told, remover: ToldWrite, writers: ReadonlyArray<ToldWrite>): boolean => {
  const { action } = remover.event.operation
  const mayHaveTaken = (writer: ToldWrite) => mayTake(remover, writer)
  if (!takesTheUnseen(told, remover) && !writers.some(mayHaveTaken)) return false
  if (action.kind === "delete") return true
  switch (told.bucket) {
    case "notes":
      return writers.some(({ id }) => siblingsOf(remover.event.saw).includes(id))
    case "documents":
      return writers.some((writer) =>
        action.kind === "title"
          ? writer.event.operation.action.kind === "title"
          : action.kind === "remove" && itemOf(remover) === itemOf(writer)
      )
    case "tags":
      return action.kind === "remove" && writers.some((w) => itemOf(w) === itemOf(remover))
    // Carts and counters show less only after a delete; of registers, the stamp tells.
    default:
      return false
  }
}

/** Whether a register shows a value that wins over lower stamps; actors order equal ones. */
const winsOver = (told: Told, shown: Shown, before: Shown): boolean =>
  told.bucket === "registers" && shown.value !== undefined && shown.stamp >= before.stamp

/** The values that were there before and are not in `shown`, without a possible remover. */
const gone = (told: Told, before: Shown, shown: Shown, at: number): ReadonlyArray<string> => {
  if (winsOver(told, shown, before)) return []
  const present = new Set(atomsOf(told, shown).map((atom) => atom.name))
  return atomsOf(told, before).filter((atom) => {
    if (present.has(atom.name)) return false
    const writers = told.writes.filter(({ event }) => atom.isBy(event.operation))
    return !told.writes.some((remover) =>
      !remover.isRefused && remover.event.invokedAt <= at
      && !writers.includes(remover) && mayExplain(told, remover, writers)
    )
  }).map((atom) => atom.name)
}

/** Whether all that an atom's operations did is lost: a session that is told so may miss it. */
const isLost = (told: Told, shown: Shown, name: string, before: Shown): boolean =>
  atomsOf(told, before).some((atom) =>
    atom.name === name
    && told.writes.every((write) =>
      !atom.isBy(write.event.operation) || !hasAny(shown.vector, write.applied)
    )
  )

/**
 * Whether an operation's answers show a dot, named as in `Lost`. A disk may bring back what was
 * nowhere: then the session goes on from a view that has it, and is to be told if it is lost anew.
 */
const isShown = ({ operation: { action }, result, saw }: Event, dot: string): boolean => {
  const read = "seen" in action && action.seen === "fresh" ? saw : undefined
  const [actor = "", counter] = dot.split(" ")
  return [read, result].some((shown) =>
    shown !== undefined && VersionVector.contains(shown.vector, actor, Number(counter))
  )
}

const checkSession = (
  document: Told,
  events: ReadonlyArray<Event>,
  add: (problem: string) => void
): void => {
  const told = new Set<string>()
  let before: Array<readonly [Event, Shown]> = []
  for (const event of events) {
    const { endedAt, lost, operation, result } = event
    if (lost !== undefined && lost.held.length > 0) {
      add(`o${operation.id} told that something is lost: ${lost.held.join(", ")}`)
    }
    for (const dot of lost?.dots ?? []) {
      if (told.has(dot)) add(`o${operation.id} told again that ${dot} is lost`)
      told.add(dot)
    }
    const lostNow = new Set(lost?.dots)
    for (const dot of told) if (!lostNow.has(dot) && isShown(event, dot)) told.delete(dot)
    if (result !== undefined && !isWrite(operation)) {
      for (const [earlier, shown] of before) {
        const what = `o${operation.id} went back behind o${earlier.operation.id}`
        const vanished = gone(document, shown, result, endedAt).filter((name) =>
          lost === undefined || !isLost(document, result, name, shown)
        )
        if (vanished.length > 0) add(`${what}: ${vanished.join(", ")} is gone`)
        const isBehind = !VersionVector.covers(result.vector, shown.vector)
        if (isBehind && lost === undefined) add(`${what}: by its context`)
      }
    }
    // A session that was told of a loss goes on from this view.
    if (lost !== undefined) before = []
    if (result !== undefined) before.push([event, result])
  }
}

const check = (told: Told, guarded: ReadonlySet<number>) => {
  const { add, found } = finder(name, told)
  for (const session of guarded) {
    const events = told.events.filter(({ operation }) => operation.session === session)
    checkSession(told, events, add)
  }
  return found
}

export const sessions: Checker = {
  name,
  promise: "a session's reads show every value that it wrote or read before, or a replacement",
  check: (record) =>
    simBuckets.flatMap((bucket) =>
      documentsOf(record, bucket.name).flatMap((told) => check(told, record.guarded))
    )
}
