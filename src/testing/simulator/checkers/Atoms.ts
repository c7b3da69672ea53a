/**
 * Splits a shown view into the operations whose effects are visible in it.
 */
import { isObject } from "../../../core/model/CanonicalJson.ts"
import type { Shown } from "../History.ts"
import { operationOf } from "../Plan.ts"
import { timesOf } from "./Counters.ts"
import type { Told } from "./Judging.ts"
import { linesOf, titleOf } from "./NestedDocuments.ts"
import { siblingsOf } from "./Siblings.ts"

/** The visible effect of one operation, or, in sets, of the operations that added one element. */
export interface Atom {
  /** `o17`, or the name of an element. */
  readonly name: string
  /** Whether this operation could have put it there. */
  readonly isBy: (operation: Told["writes"][number]["event"]["operation"]) => boolean
}

const byId = (id: unknown, kind: string, item?: string): Atom => {
  const number = operationOf(id)
  return {
    name: String(id),
    isBy: ({ action, id: other }) =>
      other === number && action.kind === kind
      && (item === undefined || "item" in action && action.item === item)
  }
}

const ofCart = ({ value }: Shown): ReadonlyArray<Atom> =>
  isObject(value)
    ? Object.entries(value).flatMap(([item, additions]) =>
      Object.keys(isObject(additions) ? additions : {}).map((id) => byId(id, "add", item))
    )
    : []

const ofDocument = (shown: Shown): ReadonlyArray<Atom> => {
  const title = titleOf(shown)
  const lines = linesOf(shown).map(([item, id]) => byId(id, "add", item))
  return title === undefined ? lines : [...lines, byId(`o${title}`, "title")]
}

const ofCounter = (told: Told, { value }: Shown): ReadonlyArray<Atom> => {
  const digits = told.writes.flatMap(({ event: { operation: { action } }, id }) =>
    action.kind === "increment" && timesOf(value, action.digit) > 0
      ? [{ atom: byId(`o${id}`, "increment"), digit: action.digit }]
      : []
  )
  // A digit that no known operation explains was never added.
  const known = digits.reduce((sum, { digit }) => sum + timesOf(value, digit) * 4 ** digit, 0)
  const rest = typeof value === "number" ? value - known : 0
  const atoms = digits.map(({ atom }) => atom)
  return rest === 0 ? atoms : [...atoms, { name: `${rest}`, isBy: () => false }]
}

/** Everything visible in a shown view, struck items of carts included. */
export const atomsOf = (told: Told, shown: Shown): ReadonlyArray<Atom> => {
  const { value } = shown
  switch (told.bucket) {
    case "registers":
      return value === undefined ? [] : [byId(value, "put")]
    case "notes":
      return siblingsOf(shown).map((id) => byId(`o${id}`, "put"))
    case "tags":
      return (Array.isArray(value) ? value : []).map((item) => ({
        name: String(item),
        isBy: ({ action }) => action.kind === "add" && action.item === item
      }))
    case "counts":
      return ofCounter(told, shown)
    case "documents":
      return ofDocument(shown)
    default:
      return ofCart(shown)
  }
}
