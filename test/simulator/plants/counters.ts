/**
 * Bugs in counters, whose removals must follow from the history alone.
 */
import type { Plant } from "./Plant.ts"

const total = "src/core/crdt/CounterTotal.ts"

export const counterPlants: ReadonlyArray<Plant> = [
  {
    name: "counter-kept-whole",
    bug: "a removal leaves an actor's sum whole that grew since it was read",
    edits: [{
      file: total,
      from: "total.updates.findLast(({ counter }) => counter <= seen)",
      to: "[last(total)].find(({ counter }) => counter <= seen)"
    }]
  },
  {
    name: "counter-removed-by-its-node",
    bug: "a removal takes an actor's sum as its node has it",
    edits: [{
      file: total,
      from: "total.updates.findLast(({ counter }) => counter <= seen)",
      to: "total.updates.some(({ counter }) => counter <= seen) ? last(total) : undefined"
    }]
  },
  {
    name: "counter-removal-undone",
    bug: "the newer share of a counter brings its own removal",
    edits: [{
      file: total,
      from: "compareUpdates(other.removed, mine.removed) > 0 ? other : mine",
      to: "last(other).counter > last(mine).counter ? other : mine"
    }]
  },
  {
    name: "counter-too-old-unnoticed",
    bug: "a removal leaves what it had seen too long ago",
    edits: [{
      file: total,
      from: "(total.isCut ? \"too-old\" : undefined)",
      to: "undefined"
    }]
  }
]
