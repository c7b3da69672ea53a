/**
 * Checks carts, whose siblings an application's function merges: no acknowledged addition is lost,
 * and it is struck exactly where a removal had seen it.
 */
import { isObject } from "../../../core/model/CanonicalJson.ts"
import type { Checker, Shown } from "../History.ts"
import { valueOf } from "../Plan.ts"
import { itemOf, ofKind } from "./AddWins.ts"
import { documentsOf, finalShown, finder, type Told, type ToldWrite } from "./Judging.ts"

const name = "cart"

/** How an addition stands in a cart: 1, null once struck, undefined where it is not. */
export const standing = (shown: Shown | undefined, item: string, addition: string): unknown => {
  const items = isObject(shown?.value) ? shown.value[item] : undefined
  return isObject(items) ? items[addition] : undefined
}

/** Whether a removal struck an addition: its client had been shown it. */
const strikes = (removal: ToldWrite, addition: ToldWrite, item: string): boolean =>
  itemOf(removal) === item
  && standing(removal.event.saw, item, valueOf(addition)) !== undefined

const check = (told: Told) => {
  const { add, found } = finder(name, told)
  const removals = ofKind(told, "remove")
  for (const addition of ofKind(told, "add")) {
    const item = itemOf(addition) ?? ""
    const striking = removals.filter((removal) => strikes(removal, addition, item))
    const isStruck = striking.some(({ outcome }) => outcome === "ok")
    const mayBeStruck = striking.some(({ outcome }) => outcome !== "fail")
    for (const [node, shown] of finalShown(told)) {
      const stands = standing(shown, item, valueOf(addition))
      const what = `at ${node}, o${addition.id} of ${item}`
      if (addition.outcome === "ok" && stands === undefined) add(`${what} is lost`)
      if (stands === null && !mayBeStruck) add(`${what} is struck, but no operation struck it`)
      if (stands === 1 && isStruck) add(`${what} is back, though it was struck`)
    }
  }
  return found
}

export const carts: Checker = {
  name,
  promise: "an acknowledged addition stands in the cart until a removal that saw it",
  check: (record) => documentsOf(record, "carts").flatMap(check)
}
