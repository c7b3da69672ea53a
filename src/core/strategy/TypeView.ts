/**
 * Makes the canonical JSON that a reader of a data type gets.
 *
 * Empty and absent look alike: a set or map without elements, a register that was never set, a
 * document without anything in it. Inside a document every field is there, with its empty view.
 *
 * Each value is checked to be JSON where it comes from a stored state: `1,2` in a set would read as
 * two elements that nobody added.
 */
import * as Json from "../codec/Json.ts"
import { childKey, childName, type DotStore, isLive } from "../crdt/DotStore.ts"
import type { TypeDefinition } from "../model/BucketDefinition.ts"
import * as CounterType from "./CounterType.ts"
import * as RegisterType from "./RegisterType.ts"
import type { View } from "./Strategy.ts"
import { kindOf } from "./TypeShape.ts"

const liveChildren = (store: DotStore | undefined): ReadonlyArray<readonly [string, DotStore]> => {
  if (store?.kind !== "tree") return []
  return [...store.children].filter(([, child]) => isLive(child))
}

const fieldOf = (store: DotStore | undefined, field: string, type: TypeDefinition) =>
  store?.kind === "tree" ? store.children.get(childKey(kindOf(type), field)) : undefined

const textOf = (type: TypeDefinition, store: DotStore | undefined): string => {
  switch (type.type) {
    case "counter":
      return String(CounterType.valueOf(store))
    case "register":
      return Json.check(RegisterType.shown(store)?.value ?? "null")
    case "set":
      return `[${liveChildren(store).map(([key]) => Json.check(childName(key))).join(",")}]`
    case "map": {
      const kind = kindOf(type.of)
      const entries = liveChildren(store).filter(([, child]) => child.kind === kind)
      const fields = entries.map(([key, child]) =>
        `${JSON.stringify(childName(key))}:${textOf(type.of, child)}`
      )
      return `{${fields.join(",")}}`
    }
    case "document": {
      const fields = Object.keys(type.fields).sort().map((field) => {
        const inner = type.fields[field]!
        return `${JSON.stringify(field)}:${textOf(inner, fieldOf(store, field, inner))}`
      })
      return `{${fields.join(",")}}`
    }
  }
}

/**
 * The one value of a document of this type, or none where it holds nothing. Throws where a stored
 * value is no JSON.
 */
export const viewOf = (type: TypeDefinition, store: DotStore | undefined): View => ({
  values: isLive(store) ? [textOf(type, store)] : []
})

/** The greatest stamp anywhere in a state; 0 where there is none. */
export const greatestStamp = (store: DotStore | undefined): number => {
  if (store?.kind === "tree") return store.children.summary.stamp
  let greatest = 0
  if (store?.kind === "values") {
    for (const sibling of store.siblings) greatest = Math.max(greatest, sibling.stamp)
  }
  return greatest
}
