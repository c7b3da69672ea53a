// Checks that partitions count as reached by the answers of their own primaries, and by no others.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NodeId } from "../../../src/core/model/Names.ts"
import { coverage } from "../../../src/core/quorum/Coverage.ts"

const node = (number: number) => NodeId.make(`n${number}`)

describe("the coverage of partitions", () => {
  it("counts those of which enough primaries have answered", () => {
    const owners = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 })
    fc.assert(fc.property(
      fc.array(owners, { minLength: 1, maxLength: 8 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(7),
      fc.nat(9),
      (owned, answered, needed, first, last) => {
        const end = Math.min(last, owned.length - 1)
        const { partitions, reached } = coverage({
          first,
          last: end,
          needed,
          primariesOf: (partition) => owned[partition]!.map(node),
          hasAnswered: (id) => answered.map(node).includes(id)
        })
        const spanned = owned.slice(first, end + 1)
        expect(partitions).toBe(spanned.length)
        const missing = spanned.filter((primaries) => {
          const away = primaries.filter((primary) => !answered.includes(primary))
          return primaries.length - away.length < needed
        })
        expect(partitions - reached).toBe(missing.length)
      }
    ))
  })
})
