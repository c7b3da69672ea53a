/**
 * Checks that siblings do not pile up: no client is ever shown two siblings of which one's writer
 * had been shown the other, directly or by a value that it had replaced, nor one more often than
 * its client was promised. So there are never more than writes that had not seen one another. It
 * compares the values that clients were shown, since contexts only say what should have been seen.
 */
import type { Checker } from "../History.ts"
import { ofKind } from "./AddWins.ts"
import { allShown, documentsOf, finder, type Told, type ToldWrite } from "./Judging.ts"
import { siblingsOf } from "./Siblings.ts"

const name = "sibling bounds"

/** The writes that a put must replace: those it was shown, and those that they had been shown. */
const seenBy = (puts: ReadonlyMap<number, ToldWrite>, id: number): ReadonlySet<number> => {
  const seen = new Set(siblingsOf(puts.get(id)?.event.saw))
  for (const earlier of seen) {
    for (const earliest of siblingsOf(puts.get(earlier)?.event.saw)) seen.add(earliest)
  }
  return seen
}

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  const puts = new Map(ofKind(told, "put").map((put) => [put.id, put]))
  for (const { by, shown } of allShown(told)) {
    const siblings = siblingsOf(shown)
    for (const id of new Set(siblings)) {
      const put = puts.get(id)
      const times = siblings.filter((sibling) => sibling === id).length
      if (times > (put?.event.timesMax ?? 1) && put?.isOnce !== false) {
        add(`to ${by}, o${id} is shown ${times} times`)
      }
      const seen = seenBy(puts, id)
      for (const other of new Set(siblings)) {
        if (other === id || !seen.has(other) || puts.get(other)?.isOnce === false) continue
        add(`to ${by}, o${other} is shown beside o${id}, whose writer had been shown it`)
      }
    }
  }
  return found
}

export const siblingBounds: Checker = {
  name,
  promise: "siblings are of writes that had not been shown one another, and each is there once",
  check: (record) => documentsOf(record, "notes").flatMap(check)
}
