/**
 * Says which shape of state a type has, and whether there are counters in it.
 */
import type { DotStore } from "../crdt/DotStore.ts"
import type { TypeDefinition } from "../model/BucketDefinition.ts"

/** The shape of the state of a type. */
export const kindOf = (type: TypeDefinition): DotStore["kind"] => {
  switch (type.type) {
    case "counter":
      return "counter"
    case "register":
      return "values"
    case "set":
    case "map":
    case "document":
      return "tree"
  }
}

export const definesCounter = (type: TypeDefinition): boolean => {
  switch (type.type) {
    case "counter":
      return true
    case "map":
      return definesCounter(type.of)
    case "document":
      return Object.values(type.fields).some(definesCounter)
    case "set":
    case "register":
      return false
  }
}
