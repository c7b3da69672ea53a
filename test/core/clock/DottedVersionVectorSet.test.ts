// Checks the join of siblings over the states that histories of writes lead to.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { compareDots } from "../../../src/core/clock/Dot.ts"
import {
  compareContents,
  hasSeen,
  join,
  type Seen,
  type Sibling
} from "../../../src/core/clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import type { Document } from "../../../src/core/crdt/Document.ts"
import { threeDocuments } from "../reachable.ts"

/** Siblings with the history that they are the remains of. */
interface State {
  readonly siblings: ReadonlyArray<Sibling>
  readonly seen: Seen
}

const content = {
  compare: compareContents,
  onConflict: () => {
    throw new Error("no history makes two contents of one dot")
  }
}

const stateOf = ({ context, store }: Document): State => ({
  siblings: store?.kind === "values" ? store.siblings : [],
  seen: { vector: context, dots: [] }
})

const states = threeDocuments({ family: "siblings" }).map((documents) => documents.map(stateOf))
  .map(([a, b, c]) => [a!, b!, c!] as const)

const joinStates = (left: State, right: State): State => ({
  siblings: join(left.siblings, left.seen, right.siblings, right.seen, content),
  seen: { vector: VersionVector.join(left.seen.vector, right.seen.vector), dots: [] }
})

const holds = (state: State, { actor, counter }: Sibling): boolean =>
  state.siblings.some((other) => other.actor === actor && other.counter === counter)

const letGo = (state: State, sibling: Sibling): boolean =>
  hasSeen(state.seen, sibling.actor, sibling.counter) && !holds(state, sibling)

describe("the join of siblings", () => {
  it("is commutative, associative and idempotent", () => {
    fc.assert(fc.property(states, ([a, b, c]) => {
      const ab = joinStates(a, b)
      expect(joinStates(b, a)).toEqual(ab)
      expect(joinStates(ab, c)).toEqual(joinStates(a, joinStates(b, c)))
      expect(joinStates(ab, b).siblings).toBe(ab.siblings)
      expect(joinStates(ab, a).siblings).toBe(ab.siblings)
    }))
  })

  it("keeps a value exactly where no side has seen it and let it go", () => {
    fc.assert(fc.property(states, ([a, b]) => {
      const joined = joinStates(a, b)
      for (const sibling of [...a.siblings, ...b.siblings]) {
        expect(holds(joined, sibling)).toBe(!letGo(a, sibling) && !letGo(b, sibling))
      }
      for (const sibling of joined.siblings) {
        expect(holds(a, sibling) || holds(b, sibling)).toBe(true)
      }
    }))
  })

  it("is sorted by dot, no dot twice, so that each node lists siblings alike", () => {
    fc.assert(fc.property(states, ([a, b]) => {
      const { siblings } = joinStates(a, b)
      for (const [i, sibling] of siblings.entries()) {
        if (i > 0) expect(compareDots(siblings[i - 1]!, sibling)).toBeLessThan(0)
      }
    }))
  })

  it("drops single dots where a vector would drop all before them", () => {
    const [second, third] = [2, 3].map((counter): Sibling => ({
      actor: "a",
      counter,
      stamp: 0,
      value: "1"
    }))
    const all = { vector: new Map([["a", 3]]), dots: [] }
    const one = { vector: VersionVector.empty, dots: [{ actor: "a", counter: 3 }] }
    expect(join([second!, third!], all, [], one, content)).toEqual([second])
    expect(join([second!, third!], all, [], all, content)).toEqual([])
  })
})
