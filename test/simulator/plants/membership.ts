/**
 * Bugs in what nodes know of each other, and in whom they believe to be up.
 */
import type { Plant } from "./Plant.ts"

const knowledge = "src/core/membership/GossipKnowledge.ts"

export const membershipPlants: ReadonlyArray<Plant> = [
  {
    name: "suspicion-never-refuted",
    bug: "a node that is suspected does not go on under a greater version",
    edits: [{
      file: "src/core/membership/Detector.ts",
      from: "withHealth({ ...state, own: Version.above(state.own, version) }, 1, limits)",
      to: "withHealth(state, 1, limits)"
    }]
  },
  {
    name: "gossip-goes-back",
    bug: "whatever gossip tells last of a member replaces what was known",
    edits: [
      { file: knowledge, from: "Facts.compare(before, facts) < 0", to: "before !== facts" },
      { file: knowledge, from: "Facts.join(before.facts, facts)", to: "facts" }
    ]
  },
  {
    name: "suspicion-never-ends",
    bug: "a node that does not refute a suspicion stays suspect",
    edits: [{
      file: "src/core/membership/DetectorState.ts",
      from: ": doubt.since + SuspicionTime.millis(",
      to: ": Infinity + SuspicionTime.millis("
    }]
  }
]
