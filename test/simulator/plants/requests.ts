/**
 * Bugs in how requests are carried across the nodes: quorums, repair, sessions, retries, frames.
 */
import type { Plant } from "./Plant.ts"

const read = "src/coordinator/ReadCoordinator.ts"
const writing = "src/core/quorum/WriteDecision.ts"
const link = "src/transport/PeerLink.ts"

export const requestPlants: ReadonlyArray<Plant> = [
  {
    name: "quorum-counts-a-node-twice",
    bug: "a repeated acknowledgement counts for a node that has not answered",
    edits: [{
      file: writing,
      from: "if ((bit & ~(event.durable ? durable : acknowledged)) === 0) return answers",
      to: `if ((bit & ~(event.durable ? durable : acknowledged)) === 0) {
        const open = pending(answers, asked)
        const other = open & -open
        return { ...answers, acknowledged: acknowledged | other, durable: durable | other }
      }`
    }]
  },
  {
    name: "one-acknowledgement-less",
    bug: "a write is answered one acknowledgement too early",
    edits: [{
      file: writing,
      from: "Targets.size(acknowledged) >= needs.w\n",
      to: "Targets.size(acknowledged) >= Math.max(1, needs.w - 1)\n"
    }, {
      file: writing,
      from: "&& Targets.size(durable) >= needs.dw",
      to: "&& Targets.size(durable) >= Math.min(1, needs.dw)"
    }]
  },
  {
    name: "refusal-taken-for-an-acknowledgement",
    bug: "a replica that refuses to store counts as one that has stored",
    edits: [{
      file: "src/coordinator/WriteCoordinator.ts",
      from: "this.#step({ _tag: \"Refused\", index, reason: message.reason })",
      to: "this.#step({ _tag: \"Acknowledged\", index, durable: true })"
    }]
  },
  {
    name: "read-repairs-nobody",
    bug: "a read repairs no replica",
    edits: [{ file: read, from: "if (stale.length === 0) return", to: "if (stale) return" }]
  },
  {
    name: "read-repair-bumps-the-clock",
    bug: "read repair counts on in the contexts that it sends",
    edits: [{
      file: read,
      from: "const document = joined.bytes ?? DocumentCodec.encode(this.#joined).bytes",
      to: `const context = new Map([...this.#joined.context].map(([a, n]) => [a, n + 1]))
    const document = DocumentCodec.encode({ ...this.#joined, context }).bytes`
    }]
  },
  {
    name: "session-ignored",
    bug: "a read answers whatever the session has seen",
    edits: [{
      file: read,
      from: "return VersionVector.covers(this.#joined.context, this.#options.plan.after.vector)",
      to: "return VersionVector.covers(this.#joined.context, VersionVector.empty)"
    }]
  },
  {
    name: "retry-carried-out-again",
    bug: "a request that is sent again is carried out again",
    edits: [{
      file: "src/replica/Replica.ts",
      from: "if (known !== undefined) {",
      to: "if (known?.actor === \"\") {"
    }]
  },
  {
    name: "frame-of-another-ring-taken",
    bug: "a node takes what a node with another ring says",
    edits: [{
      file: link,
      from: "if (header.ringDigest !== ringDigest()) {",
      to: "if (header.ringDigest === \"\") {"
    }]
  },
  {
    name: "frame-of-another-cluster-taken",
    bug: "a node takes what a node of another cluster says",
    edits: [{
      file: link,
      from: "if (header.cluster !== cluster || ",
      to: "if (cluster === \"\" || "
    }]
  }
]
