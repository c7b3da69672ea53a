/**
 * Says which shape of state a type has, whether there are counters in it, and whether it can work.
 */
import type { DotStore } from "../crdt/DotStore.ts"
import type { TypeDefinition } from "../model/BucketDefinition.ts"
import { stepsMax } from "../model/OperationName.ts"

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

/**
 * Whether the operations of a map's entries are reached through `inner`, because `drop` is one of
 * their own names or the first step of one.
 */
export const needsInner = (entry: TypeDefinition): boolean =>
  entry.type === "map" || (entry.type === "document" && Object.hasOwn(entry.fields, "drop"))

const fieldPattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/u

/**
 * Why no bucket can have this type, in words; undefined where it can. `steps` is how many steps the
 * names of its operations may have.
 */
export const problemOf = (type: TypeDefinition, steps = stepsMax): string | undefined => {
  if (steps < 1) return `nested deeper than an operation's name, of ${stepsMax} steps, can say`
  switch (type.type) {
    case "counter":
    case "register":
    case "set":
      return undefined
    case "map":
      return problemOf(type.of, needsInner(type.of) ? steps - 1 : steps)
    case "document": {
      const fields = Object.entries(type.fields)
      if (fields.length === 0) return "a document needs a field"
      for (const [name, field] of fields) {
        if (!fieldPattern.test(name)) {
          return `field ${JSON.stringify(name)}: expected a letter, then letters, digits and _`
        }
        const problem = problemOf(field, steps - 1)
        if (problem !== undefined) return problem
      }
      return undefined
    }
  }
}
