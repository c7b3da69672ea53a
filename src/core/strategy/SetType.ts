/**
 * Holds elements; an addition wins over a removal that had not seen it. An element stands under
 * its canonical JSON with the dots of the additions that made it; a removal names those it saw,
 * so nothing is left behind where it stood, and adding again makes a new dot.
 *
 * @see Bieniusa et al., An optimized conflict-free replicated set, 2012
 */
import { at, childKey, nest } from "../crdt/DotStore.ts"
import { changed, deferrals, valueArgument } from "./Mutations.ts"
import { removeAt } from "./RemoveAt.ts"
import type { LeafOperation } from "./Strategy.ts"

const add: LeafOperation = {
  name: "add",
  args: ["value"],
  mutate: (mutation, path) => {
    const element = valueArgument(mutation, 0)
    if (typeof element !== "string") return element
    const elementPath = [...path, childKey("values", element)]
    const here = at(mutation.document.store, elementPath)
    const siblings = [{ ...mutation.dot, stamp: 0, value: "" }]
    return changed(mutation, {
      path: elementPath,
      store: nest(elementPath, { kind: "values", siblings }),
      replaces: here?.kind === "values" ? here.siblings : [],
      deferred: deferrals(mutation, elementPath)
    })
  }
}

const remove: LeafOperation = {
  name: "remove",
  args: ["value"],
  mutate: (mutation, path) => {
    const element = valueArgument(mutation, 0)
    if (typeof element !== "string") return element
    return removeAt(mutation, [...path, childKey("values", element)], { counters: false })
  }
}

export const operations: ReadonlyArray<LeafOperation> = [add, remove]
