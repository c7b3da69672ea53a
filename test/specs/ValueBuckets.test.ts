/**
 * Checks the buckets of whole values against their specifications on random histories.
 */
import { describe, expect, it } from "vitest"
import { lww } from "../../src/core/strategy/LwwStrategy.ts"
import { siblings } from "../../src/core/strategy/SiblingsStrategy.ts"
import type { Strategy } from "../../src/core/strategy/Strategy.ts"
import type { Mask } from "./Happened.ts"
import { checkSpecification, type Specified } from "./checkSpecification.ts"
import * as Specification from "./ValueSpecification.ts"

const families: Record<string, readonly [Strategy, Specified<Specification.ValueChange>["view"]]> =
  {
    "siblings": [siblings, Specification.siblings],
    "last write wins": [lww, Specification.lastWrite]
  }

const histories = 3000

describe("every reader gets the specified value, at any moment of any history", () => {
  for (const [name, [strategy, view]] of Object.entries(families)) {
    it(`of ${name}`, () => {
      let most = 0
      const counts = checkSpecification<Specification.ValueChange>({
        strategy,
        view: (history, seen: Mask) => {
          const values = view(history, seen)
          most = Math.max(most, values.length)
          return values
        },
        requests: Specification.valueRequests,
        clientCounts: true,
        refusesAhead: () => false,
        mayBeTooOld: () => false
      }, histories)
      expect(counts.ahead).toBeGreaterThan(histories / 10)
      expect(counts.forgotten).toBeGreaterThan(histories / 10)
      expect(most > 2).toBe(strategy !== lww)
    })
  }
})
