// Shows why an actor is a node in one incarnation since one birth: what each part prevents.
//
// The first loss is basho/riak_kv#679, "vnode amnesia"; the second is its cousin, a fallback
// that drops what it delivered.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hasSeen } from "../../src/core/clock/DottedVersionVectorSet.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { histories } from "../core/reachable.ts"
import { Replica } from "../core/Replica.ts"

const exchange = (left: Replica, right: Replica): void => {
  left.receive(right.document)
  right.receive(left.document)
}

/** The node acknowledges "lost" and sends it on, forgets it, and takes "acknowledged". */
const amnesia = (actorAfterwards: string) => {
  const [node, peer] = [new Replica("node.1.0"), new Replica("peer.1.0")]
  node.put("first")
  const onDisk = node.document
  node.put("lost", node.read().context)
  exchange(node, peer)

  node.document = onDisk
  node.counter = 1
  node.actor = actorAfterwards
  node.put("acknowledged", node.read().context)
  return { node, peer }
}

describe("a node that lost the last writes of its disk", () => {
  it("makes a dot twice if it goes on as the same actor, and one of the two writes is gone", () => {
    const { node, peer } = amnesia("node.1.0")
    exchange(node, peer)
    // Of two contents of one dot every replica takes the greater.
    expect(peer.read().values).toEqual(["lost"])
    expect(node.read().values).toEqual(["lost"])
  })

  it(
    "then loses an acknowledged write everywhere, as soon as the other under its dot is "
      + "replaced",
    () => {
      const { node, peer } = amnesia("node.1.0")
      peer.put("later", peer.read().context)
      exchange(node, peer)
      expect([node.read().values, peer.read().values]).toEqual([["later"], ["later"]])
    }
  )

  it("loses nothing if it goes on in a new incarnation", () => {
    const { node, peer } = amnesia("node.2.0")
    peer.put("later", peer.read().context)
    exchange(node, peer)
    expect(node.read().values).toEqual(["acknowledged", "later"])
    expect(peer.read().values).toEqual(["acknowledged", "later"])
  })
})

/** The values that a primary has after two blind writes through the fallback. */
const fallbackTwice = (actorAfterwards: string) => {
  const [fallback, primary] = [new Replica("fallback.1.0"), new Replica("primary.1.0")]
  fallback.put("first")
  primary.receive(fallback.document)

  fallback.document = Document.empty
  fallback.actor = actorAfterwards
  fallback.put("second")
  return primary.receive(fallback.document).read().values
}

describe("a fallback that delivered a document and dropped it", () => {
  it(
    "seems to have seen and removed its first blind write if it makes the second as the "
      + "same actor",
    () => {
      expect(fallbackTwice("fallback.1.0")).toEqual(["second"])
    }
  )

  it("keeps both if the second is made since a new birth", () => {
    expect(fallbackTwice("fallback.1.1")).toEqual(["first", "second"])
  })
})

describe("with incarnations and births drawn as they should be", () => {
  it(
    "a write stays until one that had seen it replaces it, whatever rows and nodes are "
      + "lost",
    () => {
      fc.assert(fc.property(histories({ family: "siblings" }), ({ changes, documents }) => {
        const all = documents.reduce(Document.join)
        const held = all.store?.kind === "values" ? all.store.siblings : []
        for (const { delta } of changes) {
          if (delta.store?.kind !== "values") continue
          for (const { actor, counter } of delta.store.siblings) {
            const isReplaced = changes.some(({ delta: other }) =>
              other !== delta && hasSeen(other.seen, actor, counter)
            )
            const isHeld = held.some((other) => other.actor === actor && other.counter === counter)
            expect(isHeld).toBe(!isReplaced)
          }
        }
      }))
    }
  )
})
