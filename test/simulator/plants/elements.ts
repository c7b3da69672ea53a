/**
 * Bugs of documents that are changed element by element.
 */
import type { Plant } from "./Plant.ts"

export const elementPlants: ReadonlyArray<Plant> = [
  {
    name: "digest-not-updated-with-a-leaf",
    bug: "a changed element leaves the sum of its document as it was",
    edits: [{
      file: "src/core/crdt/Summary.ts",
      from: "for (const child of children) seeGreatest(into, child)",
      to: `for (const child of children) seeGreatest(into, child)
  into.high = before.high
  into.low = before.low`
    }]
  },
  {
    name: "nodes-of-one-size-shared",
    bug: "two versions are said to share the elements of nodes of one size",
    edits: [{
      file: "src/core/crdt/ChildrenDiff.ts",
      from: "else if (mine === other) {",
      to: "else if (mine.height === other.height && mine.size === other.size) {"
    }]
  }
]
