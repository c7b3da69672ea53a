/**
 * Bugs that the simulator found in the product, planted again: a mended bug must still be found.
 */
import type { Plant } from "./Plant.ts"

export const foundPlants: ReadonlyArray<Plant> = [
  {
    name: "old-element-taken",
    bug: "an old page's element is read with newer ones",
    edits: [{
      file: "src/replica/RowCodec.ts",
      from: "if ((digestOf(whole) ?? held.digest) !== held.digest) {",
      to: "if (held.digest === \"\") {"
    }]
  },
  {
    name: "old-row-continued",
    bug: "a replica counts on in a row that is an old one",
    edits: [{
      file: "src/replica/DotIssuer.ts",
      from: "if (continues && told !== \"not\") return local.own",
      to: "if (continues) return local.own"
    }]
  },
  {
    name: "slow-way-taken-for-load",
    bug: "a node that has nothing to do takes the time of messages on their way for a queue",
    edits: [{
      file: "src/transport/QueueWait.ts",
      from: "after.idle - before.idle > (after.at - before.at) * idleShare",
      to: "false"
    }]
  },
  {
    name: "stopping-read-out-of-time",
    bug: "a node that stops says of a read that too few replicas answered, and asked only some",
    edits: [{
      file: "src/transport/InFlightRequests.ts",
      from: "if (waiting.stop === undefined) waiting.expire()",
      to: "if (waiting.stop === undefined || waiting.deadline > 0) waiting.expire()"
    }]
  },
  {
    name: "lost-row-claimed",
    bug: "a node goes on claiming versions that none of its rows holds",
    edits: [{
      file: "src/anti-entropy/Exchange.ts",
      from: "versions.forget(partition, true)",
      to: ""
    }]
  },
  {
    name: "kept-copy-hides-who-took-it-over",
    bug: "a node goes on forwarding a write that another has carried out and had it keep",
    edits: [{
      file: "src/coordinator/Forwarding.ts",
      from: "const notedAt = trace._tag === \"Forwarded\" ? trace.fencedAt : trace.arrival",
      to: "const notedAt = trace._tag === \"Forwarded\" ? trace.fencedAt : 0"
    }]
  },
  {
    name: "log-goes-on-after-a-failed-transaction",
    bug: "the log goes on where a transaction failed that a power cut may show all the same",
    isBelowTheModel: true,
    edits: [{
      file: "src/storage/Committer.ts",
      from: "this.#foldFailure = failureOf(error)\n      throw error",
      to: "throw error"
    }]
  }
]
