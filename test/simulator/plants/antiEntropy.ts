/**
 * Bugs in the comparison of replicas in the background.
 */
import type { Plant } from "./Plant.ts"

const commits = "src/replica/Commits.ts"
const context = "src/anti-entropy/ExchangeContext.ts"
const exchange = "src/anti-entropy/Exchange.ts"
const index = "src/replica/VersionIndex.ts"

export const antiEntropyPlants: ReadonlyArray<Plant> = [
  {
    name: "row-without-its-hash",
    bug: "the hashes do not change with a document",
    edits: [{
      file: commits,
      from: "else this.versions.changed(key, digestOf(before), newest.digest)",
      to: ""
    }]
  },
  {
    name: "repair-bumps-the-clock",
    bug: "a node counts on in the documents that it sends to another in the background",
    edits: [{
      file: context,
      from: "document: DocumentCodec.encode(local.document).bytes",
      to: `document: DocumentCodec.encode({
      ...local.document,
      context: new Map([...local.document.context].map(([a, n]) => [a, n + 1]))
    }).bytes`
    }]
  },
  {
    name: "repair-one-way",
    bug: "of two nodes that differ, only the one with the lesser name is repaired",
    edits: [
      {
        file: exchange,
        from: "fetchVersions(conversation, { partition, versions: theirs }, ({ taken }) => {",
        to: `const pulls = this.#context.view.self < conversation.peer
    const pulled = pulls ? theirs : new Uint32Array(0)
    fetchVersions(conversation, { partition, versions: pulled }, ({ taken }) => {`
      },
      {
        file: exchange,
        from: "this.#offerEach(partition, ours, ({ lacking, stored }) => {",
        to:
          "this.#offerEach(partition, pulls ? new Uint32Array(0) : ours, ({ lacking, stored }) => {"
      }
    ]
  },
  {
    name: "old-sum-trusted",
    bug: "a node goes on telling the sum of a partition as it first was",
    edits: [
      {
        file: index,
        from: "return this.#partitions.get(partition)?.sum(includes) ?? noSum",
        to: `let sum = this.#first.get(partition)
    if (sum === undefined) sum = this.#partitions.get(partition)?.sum(includes) ?? noSum
    this.#first.set(partition, sum)
    return sum`
      },
      {
        file: index,
        from: "#nextScrub = 0",
        to: "#nextScrub = 0\n  readonly #first = new Map<number, Sum>()"
      }
    ]
  },
  {
    name: "lost-version-claimed",
    bug: "a node that has no row of a version that it offered goes on claiming it",
    edits: [{
      file: exchange,
      from: "if (holdsAny(this.#context, partition, lacking)) this.#readAgain(partition)",
      to: ""
    }]
  },
  {
    name: "lost-row-in-memory",
    bug: "a node that finds a row lost leaves the document in its memory alone",
    edits: [{
      file: "src/replica/LostRows.ts",
      from:
        "if (held === undefined || row._tag === \"Found\" && row.digest === held.digest) continue",
      to: "if (key.partition >= 0 || held === undefined) continue"
    }]
  },
  {
    name: "hash-without-its-row",
    bug: "the hashes keep versions whose commit failed",
    edits: [{
      file: commits,
      from:
        "if (failure !== undefined && commit !== undefined) this.versions.forget(key.partition)",
      to: ""
    }]
  },
  {
    name: "one-owner-fills",
    bug: "a store is complete once one complete owner has sent everything",
    edits: [{
      file: "src/anti-entropy/Filling.ts",
      from: "return this.isOn() && !this.#asked.has(node)",
      to: "return this.isOn() && this.#asked.has(node)"
    }, {
      file: "src/anti-entropy/Filling.ts",
      from: "owners.every((node) => received?.has(node) === true && !this.#isUnsure(node))",
      to: "owners.some((node) => received?.has(node) === true && !this.#isUnsure(node))"
    }]
  }
]
