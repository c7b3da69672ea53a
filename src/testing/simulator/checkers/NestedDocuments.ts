/**
 * Checks documents of several fields: each line holds every addition that no operation which had
 * seen it removed; the title is the one that was set last.
 */
import { isObject } from "../../../core/model/CanonicalJson.ts"
import type { Checker, Shown } from "../History.ts"
import { operationOf, valueOf } from "../Plan.ts"
import { itemOf, judgeElements, ofKind } from "./AddWins.ts"
import {
  documentsOf,
  finalShown,
  finder,
  hasAll,
  mayTake,
  mustTake,
  type Told,
  type ToldWrite
} from "./Judging.ts"
import { stampOf } from "./LastWriteWins.ts"

const name = "document"

const fieldOf = (value: unknown, field: string): unknown =>
  isObject(value) ? value[field] : undefined

/** The operations that a line shows. */
export const lineOf = (shown: Shown, item: string): ReadonlyArray<unknown> => {
  const line = fieldOf(fieldOf(shown.value, "lines"), item)
  return Array.isArray(line) ? line : []
}

/** All operations in all lines. */
export const linesOf = (shown: Shown): ReadonlyArray<readonly [string, unknown]> => {
  const lines = fieldOf(shown.value, "lines")
  if (!isObject(lines)) return []
  return Object.keys(lines).flatMap((item) =>
    lineOf(shown, item).map((value) => [item, value] as const)
  )
}

export const titleOf = (shown: Shown | undefined): number | undefined =>
  operationOf(fieldOf(shown?.value, "title"))

const checkLines = (told: Told, add: (problem: string) => void): void => {
  const removals = [...ofKind(told, "remove"), ...ofKind(told, "delete")]
  for (const addition of ofKind(told, "add")) {
    const item = itemOf(addition) ?? ""
    const taking = removals.filter((write) => itemOf(write) === undefined || itemOf(write) === item)
    const verdict = judgeElements([addition], taking)
    if (verdict === "either") continue
    for (const [node, shown] of finalShown(told)) {
      const isPresent = lineOf(shown, item).includes(valueOf(addition))
      if (isPresent === (verdict === "present")) continue
      add(`at ${node}, o${addition.id} in line ${item} must be ${verdict}`)
    }
  }
}

const sawIt = ({ event: { saw } }: ToldWrite, write: ToldWrite): boolean =>
  saw !== undefined && hasAll(saw.vector, write.applied)

const checkTitle = (told: Told, add: (problem: string) => void): void => {
  const titles = ofKind(told, "title").filter(({ outcome }) => outcome !== "fail")
  const deletes = ofKind(told, "delete").filter(({ outcome }) => outcome !== "fail")
  for (const [node, shown] of finalShown(told)) {
    const shownTitle = titleOf(shown)
    const winner = titles.find(({ id }) => id === shownTitle)
    for (const title of titles) {
      if (title.outcome !== "ok" || deletes.some((removal) => mayTake(removal, title))) continue
      // A title that another had seen is replaced for good, though that one may be taken.
      if (winner === undefined && titles.some((later) => sawIt(later, title))) continue
      if (winner === undefined) add(`at ${node}, there is no title, though o${title.id} set one`)
      // A delete may have taken the one that replaced another, and left that.
      else if (deletes.length === 0 && shown.stamp < stampOf(title)) {
        add(`at ${node}, o${winner.id} is the title, though o${title.id} was set later`)
      }
    }
    const later = winner && (
      titles.find((title) => title.outcome === "ok" && sawIt(title, winner))
        ?? deletes.find((removal) => mustTake(removal, winner))
    )
    if (later !== undefined) {
      add(`at ${node}, o${shownTitle} is the title, though o${later.id} had seen it`)
    }
  }
}

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  checkLines(told, add)
  checkTitle(told, add)
  return found
}

export const nestedDocuments: Checker = {
  name,
  promise: "every field of a document keeps the promise of its own type",
  check: (record) => documentsOf(record, "documents").flatMap(check)
}
