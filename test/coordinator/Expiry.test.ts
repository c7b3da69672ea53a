// Checks that a document with an expiry looks absent from then on, by the clock that the nodes
// agree on, whichever way a client looks at it.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 4, buckets })
  stepped.write(1, notes, { key: "k", op: "put", args: ["v"], w: "all" })
})
afterEach(() => stepped.stop())

const nodeNumbers = [1, 2, 3, 4]
const bucket = BucketName.make(notes.name)

/** Has every primary hold the note with this expiry. */
const expireAt = (at: number): void => {
  const row = stepped.rowOf(notes, "k")
  const primaries = stepped.nodesOf(notes, "k").primaries
  const held = stepped.held(notes, "k")[primaries[0]! - 1]!
  const dot = { actor: "n9.000000000000000.1", counter: 1 }
  const seen = { vector: new Map(), dots: [dot] }
  const none = { seen, store: undefined, deferred: [], expiry: [] }
  const delta = Document.withExpiry(none, { document: held, dot, at })
  const document = Document.apply(held, delta)
  for (const nodeNumber of primaries) {
    stepped.nodes[nodeNumber - 1]!.core.replica.join({ key: row, document }, () => {})
  }
  stepped.runtime.runReady()
}

const outcomeOf = <A extends object>(
  ask: (respond: (outcome: A | StoreError) => void) => void
): A => {
  let found: A | StoreError | undefined
  ask((outcome) => (found = outcome))
  stepped.runtime.runReady()
  if (found === undefined || found instanceof Error) throw found ?? new Error("no answer")
  return found
}

/**
 * The answers that clients of the nodes with these numbers get: values read, explained, and keys
 * listed.
 */
const seenAt = (at: ReadonlyArray<number>) =>
  at.map((nodeNumber) => {
    const backend = stepped.cluster.backends[nodeNumber - 1]!
    const explained = outcomeOf<Explanation>((respond) =>
      backend.explain({ bucket, key: "k" }, respond)
    )
    const listed = outcomeOf<KeyPage>((respond) => backend.list({ bucket, limit: 10 }, respond))
    return {
      read: stepped.read(nodeNumber, notes, { key: "k" }).answer.values,
      explained: [explained.joined.values, ...explained.replicas.map(({ values }) => values)],
      listed: listed.keys
    }
  })

const shown = { read: ["v"], explained: [["v"], ["v"], ["v"], ["v"]], listed: ["k"] }
const hidden = { read: [], explained: [[], [], [], []], listed: [] }
const all = (seen: typeof shown | typeof hidden) => nodeNumbers.map(() => seen)

describe("a document with an expiry", () => {
  it("is shown until then, and looks absent from then on, at every node", () => {
    expireAt(stepped.runtime.now() + 1_000)
    stepped.runtime.advance(999)
    expect(seenAt(nodeNumbers)).toEqual(all(shown))
    stepped.runtime.advance(1)
    expect(seenAt(nodeNumbers)).toEqual(all(hidden))
  })

  it("keeps its context when it looks absent, so that a write replaces it", () => {
    expireAt(stepped.runtime.now())
    const { context } = stepped.read(1, notes, { key: "k" }).answer
    stepped.write(1, notes, { key: "k", op: "put", args: ["new"], context, w: "all" })
    expect(stepped.read(2, notes, { key: "k" }).answer.values).toEqual(["new"])
  })

  it("is hidden by the agreed clock at a primary whose own clock is far behind", () => {
    const nodeNumber = stepped.nodesOf(notes, "k").primaries[0]!
    stepped.clockOffsets.set(nodeNumber, -3_600_000)
    // Frames of every other node tell this one the time of their clocks.
    seenAt(nodeNumbers)
    expireAt(stepped.runtime.now())
    expect(seenAt([nodeNumber])).toEqual([hidden])
  })
})
