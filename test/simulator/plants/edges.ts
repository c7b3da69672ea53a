/**
 * Bugs in a node's beliefs about its peers, and in what it takes from them.
 */
import type { Plant } from "./Plant.ts"

const clocks = "src/core/clock/ClockOffset.ts"

export const edgePlants: ReadonlyArray<Plant> = [
  {
    name: "delay-taken-for-skew",
    bug: "the delay of the last frame counts as its sender's clock",
    edits: [{
      file: clocks,
      from: "  const before = fresh(known, slot, limits)",
      to: `  if (slot > -1) return [{ slot, lead: wall - at, least, greatest: Infinity }]
  const before = fresh(known, slot, limits)`
    }, {
      file: clocks,
      from: "return least > 0 ? least : Math.min(greatest, 0)",
      to: "return least"
    }]
  },
  {
    name: "other-key-heard",
    bug: "a node with another key is listened to",
    edits: [{
      file: "src/transport/FrameSeal.ts",
      from: "if (key === undefined) return \"otherKey\"",
      to: "if (key === undefined) return \"proved\""
    }]
  },
  {
    name: "mac-not-checked",
    bug: "a frame is believed whatever its MAC is",
    edits: [{
      file: "src/transport/FrameSeal.ts",
      from: "return isSealedBy(mac, bytes, macPlace) ? \"proved\" : \"forged\"",
      to: "return isSealedBy(mac, bytes, macPlace) || mac !== \"\" ? \"proved\" : \"forged\""
    }]
  },
  {
    name: "refusals-answer-each-other",
    bug: "two nodes that each take the other for a former incarnation greet each other for ever",
    edits: [{
      file: "src/transport/PeerLink.ts",
      from: "this.#outbox.greet(from, this.#headerTo(from, refused))",
      to: "if (refused.at > -1) this.#outbox.greet(from)"
    }]
  }
]
