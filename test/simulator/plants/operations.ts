/**
 * Plants bugs in the memory of operations: marks, fences, and whom to ask.
 */
import type { Plant } from "./Plant.ts"

const proof = "src/core/operations/Proof.ts"
const valid = "decoded.incarnation === memory.incarnation\n"
  + "    && decoded.arrivals >= memory.evictedThrough"

export const operationPlants: ReadonlyArray<Plant> = [
  {
    name: "fence-ignored",
    bug: "a late message is carried out though the node has fenced it",
    edits: [{
      file: proof,
      from: "if (isBefore(mark, fenceOf(trace))) return { _tag: \"Stale\" }",
      to: "if (isBefore(mark, -fenceOf(trace))) return { _tag: \"Stale\" }"
    }]
  },
  {
    name: "mark-of-another-incarnation",
    bug: "a mark of another incarnation is believed",
    edits: [{
      file: proof,
      from: valid,
      to: "(decoded.incarnation !== memory.incarnation\n"
        + "    || decoded.arrivals >= memory.evictedThrough)"
    }]
  },
  {
    name: "evicted-taken-for-none",
    bug: "a retry is carried out though its row may be forgotten",
    edits: [{
      file: proof,
      from: valid,
      to: "decoded.incarnation === memory.incarnation\n    && memory.evictedThrough >= 0"
    }]
  },
  {
    name: "rivals-both-go-on",
    bug: "two nodes that inquire about one write both carry it out",
    edits: [{
      file: "src/core/operations/InquiryDecision.ts",
      from: "return node < decision.self\n",
      to: "return node === decision.self\n"
    }, {
      file: "src/coordinator/Operations.ts",
      from: "if (from > self) {",
      to: "if (from === self) {"
    }]
  },
  {
    name: "forwarded-writes-forgotten",
    bug: "a node that forwarded a write says that it has not done it",
    edits: [{
      file: proof,
      from:
        "if (trace?._tag === \"Forwarded\") return { _tag: \"Forwarded\", targets: trace.targets }",
      to: ""
    }]
  },
  {
    name: "first-node-not-named",
    bug: "a write goes on to another primary, which is not told of the first",
    edits: [{
      file: "src/coordinator/Forwarding.ts",
      from: "tried: tried.map((target) => ({",
      to: "tried: tried.slice(tried.length).map((target) => ({"
    }]
  },
  {
    name: "refusal-not-noted",
    bug: "a refused write is carried out when an earlier message comes",
    edits: [{
      file: "src/coordinator/Operations.ts",
      from: "    replica.operations.fence(write.row, write.id)\n",
      to: ""
    }]
  },
  {
    name: "inquiry-outlasts-refusal",
    bug: "a node that asks others about a write carries it out after it has refused it",
    edits: [{
      file: "src/coordinator/Operations.ts",
      from: "?.inquiry?.step({ _tag: \"Refused\" })",
      to: ""
    }]
  },
  {
    name: "forgotten-refusal-overruled",
    bug: "a late message is carried out that its node may have refused, and has forgotten",
    edits: [{
      file: "src/core/operations/InquiryDecision.ts",
      from: "const outcome = isRemembered\n",
      to: "const outcome = decision.isProven || !decision.isProven\n"
    }]
  }
]
