// Follows the Dynamo paper's example of version evolution, sentence by sentence.
//
// DeCandia et al.: Dynamo: Amazon's Highly Available Key-value Store, 2007, section 4.4, figure 3.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { threeDocuments } from "../core/reachable.ts"
import { Replica } from "../core/Replica.ts"

/** A clock as the papers print it. */
const clockOf = (vector: VersionVector.VersionVector) => VersionVector.sorted(vector)

/** The state of each step of figure 3, under its name there. */
const figure = () => {
  const [x, y, z] = [new Replica("Sx"), new Replica("Sy"), new Replica("Sz")]
  x.put("D1")
  const d1 = x.document
  x.put("D2", x.read().context)
  const d2 = x.document
  const { context } = x.read()
  y.receive(d2).put("D3", context)
  z.receive(d2).put("D4", context)
  return { x, d1, d2, d3: y.document, d4: z.document }
}

const read = (...documents: ReadonlyArray<Document.Document>) =>
  new Replica("reader").receive(...documents).read()

const valuesOf = (...documents: ReadonlyArray<Document.Document>) => read(...documents).values

describe("Dynamo, section 4.4, figure 3", () => {
  it("\"The system now has the object D1 and its associated clock [(Sx, 1)].\"", () => {
    expect(clockOf(figure().d1.context)).toEqual([["Sx", 1]])
  })

  it("\"The system now also has object D2 and its associated clock [(Sx, 2)].\"", () => {
    expect(clockOf(figure().d2.context)).toEqual([["Sx", 2]])
  })

  it(
    "\"D2 descends from D1 and therefore over-writes D1, however there may be replicas of "
      + "D1 lingering at nodes that have not yet seen D2.\"",
    () => {
      const { d1, d2 } = figure()
      expect(valuesOf(d2)).toEqual(["D2"])
      expect(valuesOf(d1)).toEqual(["D1"])
      expect(valuesOf(d1, d2)).toEqual(["D2"])
      expect(valuesOf(d2, d1)).toEqual(["D2"])
    }
  )

  it("\"The system now has data D3 and its associated clock [(Sx, 2), (Sy, 1)].\"", () => {
    expect(clockOf(figure().d3.context)).toEqual([["Sx", 2], ["Sy", 1]])
  })

  it(
    "\"The system now has D4 (descendant of D2) whose version clock is "
      + "[(Sx, 2), (Sz, 1)].\"",
    () => {
      expect(clockOf(figure().d4.context)).toEqual([["Sx", 2], ["Sz", 1]])
    }
  )

  it(
    "\"A node that is aware of D1 or D2 could determine, upon receiving D4 and its clock, "
      + "that D1 and D2 are overwritten by the new data and can be garbage collected.\"",
    () => {
      const { d1, d2, d4 } = figure()
      expect(valuesOf(d1, d4)).toEqual(["D4"])
      expect(valuesOf(d2, d4)).toEqual(["D4"])
    }
  )

  it(
    "\"A node that is aware of D3 and receives D4 will find that there is no causal "
      + "relation between them.\"",
    () => {
      const { d3, d4 } = figure()
      expect(VersionVector.compare(d3.context, d4.context)).toBe("concurrent")
    }
  )

  it(
    "\"Both versions of the data must be kept and presented to a client (upon a read) for "
      + "semantic reconciliation.\"",
    () => {
      const { d3, d4 } = figure()
      expect(valuesOf(d3, d4)).toEqual(["D3", "D4"])
      expect(valuesOf(d4, d3)).toEqual(["D3", "D4"])
    }
  )

  it(
    "\"The read's context is a summary of the clocks of D3 and D4, namely [(Sx, 2), (Sy, "
      + "1), (Sz, 1)].\"",
    () => {
      const { d3, d4 } = figure()
      expect(clockOf(read(d3, d4).context.vector)).toEqual([["Sx", 2], ["Sy", 1], ["Sz", 1]])
    }
  )

  it("\"The new data D5 will have the following clock: [(Sx, 3), (Sy, 1), (Sz, 1)].\"", () => {
    const { d3, d4, x } = figure()
    x.put("D5", read(d3, d4).context)
    expect(clockOf(x.document.context)).toEqual([["Sx", 3], ["Sy", 1], ["Sz", 1]])
    expect(valuesOf(d3, d4, x.document)).toEqual(["D5"])
  })
})

describe("Dynamo, section 4.4", () => {
  it(
    "\"If the counters on the first object's clock are less-than-or-equal to all of the "
      + "nodes in the second clock, then the first is an ancestor of the second and can be "
      + "forgotten.\"",
    () => {
      fc.assert(fc.property(threeDocuments({ family: "siblings" }), ([first, second]) => {
        if (!VersionVector.covers(second.context, first.context)) return
        const { context, store } = Document.join(second, first)
        expect([context, store]).toEqual([second.context, second.store])
      }))
    }
  )
})
