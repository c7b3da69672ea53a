/**
 * Checks sets in which additions win: an element is there if an operation added it and no removal
 * had seen that, it is gone if removals had seen every addition, and otherwise either is right.
 */
import type { Checker } from "../History.ts"
import {
  documentsOf,
  finalShown,
  finder,
  mayTake,
  mustTake,
  type Told,
  type ToldWrite
} from "./Judging.ts"

const name = "add-wins set"

/** The verdict on an element that `additions` put there and `removals` may take away. */
export const judgeElements = (
  additions: ReadonlyArray<ToldWrite>,
  removals: ReadonlyArray<ToldWrite>
): "present" | "absent" | "either" => {
  const happened = additions.filter(({ outcome }) => outcome !== "fail")
  const stays = (addition: ToldWrite) => !removals.some((removal) => mayTake(removal, addition))
  if (happened.some((addition) => addition.outcome === "ok" && stays(addition))) return "present"
  const goes = (addition: ToldWrite) => removals.some((removal) => mustTake(removal, addition))
  return happened.every(goes) ? "absent" : "either"
}

export const itemOf = ({ event: { operation: { action } } }: ToldWrite): string | undefined =>
  "item" in action ? action.item : undefined

export const ofKind = (told: Told, kind: string): ReadonlyArray<ToldWrite> =>
  told.writes.filter(({ event }) => event.operation.action.kind === kind)

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  const additions = ofKind(told, "add")
  const deletes = ofKind(told, "delete")
  const removes = ofKind(told, "remove")
  for (const item of new Set(additions.map(itemOf))) {
    const verdict = judgeElements(
      additions.filter((write) => itemOf(write) === item),
      [...removes.filter((write) => itemOf(write) === item), ...deletes]
    )
    if (verdict === "either") continue
    for (const [node, { value }] of finalShown(told)) {
      const isPresent = Array.isArray(value) && value.includes(item)
      if (isPresent !== (verdict === "present")) add(`at ${node}, ${item} must be ${verdict}`)
    }
  }
  return found
}

export const addWins: Checker = {
  name,
  promise: "an element is there exactly where an addition was seen by no removal",
  check: (record) => documentsOf(record, "tags").flatMap(check)
}
