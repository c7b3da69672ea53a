/**
 * Plants bugs in the client, which decides where a write goes again.
 */
import type { Plant } from "./Plant.ts"

const decision = "src/client/SendDecision.ts"

export const clientPlants: ReadonlyArray<Plant> = [
  {
    name: "tried-nodes-not-named",
    bug: "a retry elsewhere keeps silent about the nodes asked before",
    edits: [{
      file: decision,
      from: "if (naming !== \"marked\") return []",
      to: "if (naming.length > 0) return []"
    }]
  },
  {
    name: "stale-mark-absolves",
    bug: "an old mark is believed to prove that no sending was carried out",
    edits: [{
      file: decision,
      from: "isOpen: attempt.isOpen && attempt.sendings > 1,",
      to: "isOpen: attempt.isOpen && attempt.sendings < 1,"
    }]
  },
  {
    name: "one-refusal-for-all",
    bug: "a client takes one node's refusal for that of all it asked",
    edits: [{
      file: decision,
      from: "mayHaveApplied(decision) ? fail(decision) :",
      to: "decision.attempts.length < 1 ? fail(decision) :"
    }]
  },
  {
    name: "overload-absolves",
    bug: "a node that has too much to do is believed to have passed over every sending",
    edits: [{
      file: decision,
      from: "const told = unsent(decision, number, {})",
      to: "const told = change(decision, number, { isOpen: false, isAwaited: false })"
    }]
  }
]
