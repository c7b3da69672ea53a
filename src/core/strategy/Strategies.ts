/**
 * Makes the strategy of a bucket from its definition alone: the one place where families are told
 * apart.
 */
import type { StrategyDefinition } from "../model/BucketDefinition.ts"
import * as CrdtStrategy from "./CrdtStrategy.ts"
import { lww } from "./LwwStrategy.ts"
import { merge, siblings } from "./SiblingsStrategy.ts"
import type { Strategy } from "./Strategy.ts"

export const make = (definition: StrategyDefinition): Strategy => {
  switch (definition.family) {
    case "lww":
      return lww
    case "siblings":
      return siblings
    case "merge":
      return merge(definition.version)
    case "crdt":
      return CrdtStrategy.make(definition.type)
  }
}

/**
 * Whether concurrent values stay beside one another: then a delete should name the siblings it has
 * seen, or it takes values that its sender never saw.
 */
export const keepsSiblings = ({ family }: StrategyDefinition): boolean =>
  family === "siblings" || family === "merge"
