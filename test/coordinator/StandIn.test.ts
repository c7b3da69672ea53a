// Checks that a node which is not to have a document takes a request for it all the same, where
// those that are to have it fall out of its sight, and none may have carried the request out.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { buckets, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { done, MarkedClient } from "./markedClient.ts"

let stepped: SteppedCluster
let marked: MarkedClient
let outside: number
let primaries: ReadonlyArray<number>
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 5, buckets, timeoutMillis: 2_000 })
  marked = new MarkedClient(stepped)
  const nodeNumbers = stepped.nodesOf(shelves, "k")
  primaries = nodeNumbers.primaries
  outside = nodeNumbers.others[0]!
})
afterEach(() => stepped.stop())

const visit = { key: "k", op: "visits.add", args: [1], w: 1 }
const visitBody = { key: "k", calls: [{ name: "visits.add", args: [1] }], w: 1 }
const visitsAt = (nodeNumber: number, r: 1 | "all") => {
  const asked = stepped.read(nodeNumber, shelves, { key: "k", r })
  stepped.runtime.advance(2_500)
  return asked.answer.values
}
const taken = () => stepped.counts(outside).writes

/** So many milliseconds after every primary was heard; none is believed down yet. */
const loseSightOfAll = (millis: number) => {
  for (const nodeNumber of primaries) {
    stepped.nodes[outside - 1]!.core.view.heard(stepped.nodes[nodeNumber - 1]!.id, 0)
  }
  stepped.loses = ({ from, to }) => [from, to].includes(stepped.nodes[outside - 1]!.id)
  stepped.runtime.advance(millis)
}
const unheard = 2 * lan.node.resendMinMillis

describe("a node that loses sight of all that are to have a document", () => {
  it("takes a write itself as soon as they have been quiet for long", () => {
    done(marked.operation(shelves, visitBody).send(outside))
    loseSightOfAll(unheard)
    const asked = stepped.write(outside, shelves, visit)
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(2_000)
    expect(asked.answer.replied).toBe(1)
    expect(taken()).toBe(1)
    stepped.loses = () => false
    stepped.runtime.advance(10_000)
    expect(visitsAt(primaries[0]!, "all")).toMatchObject([{ visits: 2 }])
  })

  it("takes a write once that names its operation and is sent twice", () => {
    done(marked.operation(shelves, visitBody).send(outside))
    loseSightOfAll(unheard)
    const operation = marked.operation(shelves, visitBody)
    const sendings = [operation.send(outside), operation.send(outside)]
    stepped.runtime.advance(2_000)
    for (const sending of sendings) expect(done(sending).replied).toBe(1)
    stepped.loses = () => false
    stepped.runtime.advance(10_000)
    expect(visitsAt(primaries[0]!, "all")).toMatchObject([{ visits: 2 }])
  })

  it("reads what it took itself", () => {
    done(marked.operation(shelves, { ...visitBody, key: "other" }).send(outside))
    loseSightOfAll(unheard)
    const asked = [
      stepped.write(outside, shelves, visit),
      stepped.read(outside, shelves, { key: "k", r: 1 })
    ]
    stepped.runtime.advance(2_000)
    expect(asked[0]!.answer.replied).toBe(1)
    expect(asked[1]!.isOpen).toBe(false)
    expect(visitsAt(outside, 1)).toMatchObject([{ visits: 1 }])
  })

  it("leaves a write in doubt that it had just sent where it may have been carried out", () => {
    done(marked.operation(shelves, visitBody).send(outside))
    loseSightOfAll(0)
    const asked = stepped.write(outside, shelves, visit)
    stepped.runtime.advance(3_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", mayHaveApplied: true })
    expect(taken()).toBe(0)
  })

  it("takes no write where no other node may stand in", () => {
    loseSightOfAll(unheard)
    const asked = stepped.write(outside, shelves, { ...visit, sloppy: false })
    stepped.runtime.advance(3_000)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet" })
    expect(taken()).toBe(0)
  })
})
