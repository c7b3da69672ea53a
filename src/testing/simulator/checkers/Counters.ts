/**
 * Checks counters: each increment added its own power of four, so a digit of the sum, to base four,
 * says how often it was applied. A delete takes away the increments that it had seen, and no
 * others, whichever node carries it out: in the end, and in every view that a client was shown.
 */
import type { Checker, Shown } from "../History.ts"
import { ofKind } from "./AddWins.ts"
import {
  allShown,
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

const name = "counter"

/** How often the increment of a digit is in a sum. */
export const timesOf = (value: unknown, digit: number): number =>
  typeof value === "number" ? Math.floor(value / 4 ** digit) % 4 : 0

interface Increment {
  readonly write: ToldWrite
  readonly digit: number
}

const incrementsOf = (told: Told): ReadonlyArray<Increment> =>
  told.writes.flatMap((write) => {
    const { action } = write.event.operation
    return action.kind === "increment" ? [{ write, digit: action.digit }] : []
  })

/** Whether a delete is in a view, and had seen the increment. */
const hasTaken = (shown: Shown, removal: ToldWrite, increment: ToldWrite): boolean => {
  const { applied, event: { saw } } = removal
  return saw === undefined
    ? mustTake(removal, increment) && hasAll(shown.vector, applied)
    : hasAll(saw.vector, increment.applied) && hasAny(shown.vector, applied)
}

/** Whether a delete may be in a view, and may have seen the increment. */
const mayHaveTaken = (shown: Shown, removal: ToldWrite, increment: ToldWrite): boolean => {
  const { applied } = removal
  return mayTake(removal, increment)
    && (applied.dots.length === 0 || hasAny(shown.vector, applied))
}

/** A view in a run follows from the operations that it has seen. */
const checkViews = (told: Told, add: (problem: string) => void): void => {
  const deletes = ofKind(told, "delete")
  const views = allShown(told).filter(({ at }) => at < Infinity)
  for (const { digit, write } of incrementsOf(told)) {
    for (const { by, shown } of views) {
      const times = timesOf(shown.value, digit)
      const mayBeTaken = deletes.some((removal) => mayHaveTaken(shown, removal, write))
      const taking = deletes.find((removal) => hasTaken(shown, removal, write))
      if (times > 0 && taking !== undefined) {
        add(`to ${by}, o${write.id} counts, though o${taking.id} had seen it`)
      }
      if (times === 0 && !mayBeTaken && hasAll(shown.vector, write.applied)) {
        add(`to ${by}, o${write.id} does not count, though it was seen`)
      }
    }
  }
}

/** In the end all that was acknowledged is there. */
const checkEnd = (told: Told, add: (problem: string) => void): void => {
  const deletes = ofKind(told, "delete")
  for (const { digit, write: increment } of incrementsOf(told)) {
    const { id, isOnce, outcome } = increment
    const mayBeTaken = deletes.some((removal) => mayTake(removal, increment))
    for (const [node, shown] of finalShown(told)) {
      const times = timesOf(shown.value, digit)
      const taking = deletes.find((removal) =>
        mustTake(removal, increment) || hasTaken(shown, removal, increment)
      )
      if (times > 1 && isOnce) add(`at ${node}, o${id} counts ${times} times`)
      if (times > 0 && outcome === "fail") add(`at ${node}, o${id} counts, which did not happen`)
      if (times > 0 && taking !== undefined) {
        add(`at ${node}, o${id} counts, though o${taking.id} had seen it`)
      }
      if (times === 0 && outcome === "ok" && !mayBeTaken) {
        add(`at ${node}, o${id} was acknowledged and is lost`)
      }
    }
  }
}

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  checkViews(told, add)
  checkEnd(told, add)
  return found
}

export const counters: Checker = {
  name,
  promise:
    "an acknowledged increment counts once, unless a delete had seen it; a refused one never",
  check: (record) => documentsOf(record, "counts").flatMap(check)
}
