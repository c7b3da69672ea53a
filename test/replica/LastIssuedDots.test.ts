// The memory of the last dots: of which rows an actor may go on, and what is forgotten first.
import * as fc from "fast-check"
import { expect, it } from "vitest"
import * as Document from "../../src/core/crdt/Document.ts"
import { LastIssuedDots } from "../../src/replica/LastIssuedDots.ts"

const actor = "n1.incarnation.1"

const keyOf = (number: number) => ({
  partition: 0,
  bucket: "notes",
  partitionKey: `k${number}`,
  sortKey: ""
})

const held = { document: { ...Document.empty, context: new Map([[actor, 1]]) }, own: actor }

it("an actor may go on in the documents changed last, as many as the limit says", () => {
  const documents = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 12 })
  fc.assert(fc.property(documents, fc.integer({ min: 1, max: 8 }), (changed, dotsMax) => {
    const dots = new LastIssuedDots({ lastIssuedDotsMax: dotsMax })
    for (const number of changed) dots.made(keyOf(number), actor, 1)
    const known = changed.filter((number) =>
      dots.mayContinue(keyOf(number), { ...held, digest: "" })
    )
    expect(known).toEqual(changed.slice(-dotsMax))
  }))
})
