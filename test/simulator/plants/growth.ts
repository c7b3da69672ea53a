/**
 * Plants bugs at the limits of documents.
 */
import type { Plant } from "./Plant.ts"

export const growthPlants: ReadonlyArray<Plant> = [
  {
    name: "limit-refuses-removals",
    bug: "a removal is refused that leaves a document beyond its limit",
    edits: [{
      file: "src/core/crdt/DocumentSize.ts",
      from: "if (isReduced(smaller, size)) return small",
      to: "isReduced(smaller, size)"
    }]
  },
  {
    name: "limit-refuses-replicas",
    bug: "a replica takes no document of another one that is beyond a limit",
    edits: [{
      file: "src/replica/Replica.ts",
      from: "const encoded = (after === whole?.document",
      to: `const grown = { document: after, encoded: encode(after) }
    const excess = this.growth.excess(key, before, grown)
    if (excess !== undefined) return { _tag: "Refused", reason: "too large" }
    const encoded = (after === whole?.document`
    }]
  }
]
