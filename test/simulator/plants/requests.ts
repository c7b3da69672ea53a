/**
 * Bugs in how requests are carried across the nodes: quorums, repair, sessions, merges, frames.
 */
import type { Plant } from "./Plant.ts"

const read = "src/coordinator/ReadCoordinator.ts"
const deciding = "src/core/quorum/ReadDecision.ts"
const repair = "src/coordinator/ReadRepair.ts"
const writing = "src/core/quorum/WriteDecision.ts"

export const requestPlants: ReadonlyArray<Plant> = [
  {
    name: "node-counted-twice",
    bug: "a repeated answer counts for an unreachable node",
    edits: [{
      file: writing,
      from: "if (isKnown && (whole & ~complete) === 0) return answers",
      to: `if (isKnown) {
        const open = pending(answers, asked)
        const other = open & -open
        return {
          ...answers,
          acknowledged: acknowledged | other,
          durable: durable | other,
          complete: complete | other
        }
      }`
    }]
  },
  {
    name: "no-read-repair",
    bug: "a read repairs no replica",
    edits: [{
      file: repair,
      from: "if (stale.length === 0) return",
      to: "if (stale.length >= 0) return"
    }]
  },
  {
    name: "read-repair-bumps-the-clock",
    bug: "read repair counts on in what it sends",
    edits: [{
      file: repair,
      from: "const whole = encoded ?? DocumentCodec.encode(joined)",
      to: `const counted = new Map([...joined.context].map(([a, n]) => [a, n + 1]))
  const whole = DocumentCodec.encode({ ...joined, context: counted })`
    }]
  },
  {
    name: "session-ignored",
    bug: "a read answers whatever its session has seen",
    edits: [{
      file: read,
      from: "const covered = VersionVector.covers(this.joined.context, this.read.after.vector)",
      // A write that catches up would do so for ever.
      to: "const covered = !(\"calls\" in this.read)\n"
        + "      || VersionVector.covers(this.joined.context, this.read.after.vector)"
    }]
  },
  {
    name: "merge-left-out",
    bug: "one sibling stands for all that are to be merged",
    edits: [{
      file: "src/core/strategy/Bucket.ts",
      from: ".reduce((left, right) => options.merge(left, right))",
      to: ".at(-1)!"
    }]
  },
  {
    name: "other-cluster-heard",
    bug: "a node of another cluster is listened to",
    edits: [{
      file: "src/transport/PeerLink.ts",
      from: "if (header.cluster !== cluster || ",
      to: "if (cluster === \"\" || "
    }]
  },
  {
    name: "quorum-of-one",
    bug: "a majority of replicas is one",
    edits: [{
      file: "src/core/quorum/Quorum.ts",
      from: "Math.floor(n / 2) + 1",
      to: "Math.min(n, 1)"
    }]
  },
  {
    name: "late-read-asks-nobody",
    bug: "a read that is late does not ask the replicas that it spared",
    edits: [{
      file: deciding,
      from: "(moment === \"Late\" || isTooFew(known))",
      to: "isTooFew(known)"
    }]
  },
  {
    name: "difference-asks-nobody",
    bug: "a read whose replicas differ does not ask those that it spared",
    edits: [{
      file: deciding,
      from: "(differ(answers) || isOpen && ",
      to: "(isOpen && "
    }]
  },
  {
    name: "answered-requests-stay-open",
    bug: "a node counts requests that it has answered as open",
    edits: [{
      file: "src/coordinator/OpenRequest.ts",
      from: "counters.open--",
      to: "if (outcome instanceof Error) counters.open--"
    }]
  }
]
