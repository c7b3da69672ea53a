// Checks that a node forgets its oldest operations in their order, and that this costs the same
// however many it remembers: a node that has run for a while forgets one with each write.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { NodeId } from "../../src/core/model/Names.ts"
import { OperationIndex } from "../../src/replica/OperationIndex.ts"
import { key } from "./bench.ts"

const empty = (operationIdsMax: number): OperationIndex =>
  new OperationIndex({
    runtime: { mark: () => {} },
    storage: { scanRows: () => [] },
    incarnation: () => "0mi8dfxmoabcdef",
    limits: { operationIdsMax }
  })

const id = (sequence: number) => ({ session: "s", sequence })
const actor = "n1.0mi8dfxmoabcdef.1"
const target = (mark: number) => ({ node: NodeId.make("n2"), mark: `${mark}` })

/** Microseconds of this process to note one more, in three tries after many were forgotten. */
const costs = (operationIdsMax: number): ReadonlyArray<number> => {
  const operations = empty(operationIdsMax)
  let sequence = 0
  const note = (): void => {
    const dot = { actor, counter: ++sequence }
    operations.applied(key, { id: id(sequence), dot }).accepted([sequence])
  }
  const noted = 5_000
  for (let i = 0; i < operationIdsMax + 16 * noted; i++) note()
  return [1, 2, 3].map(() => {
    const before = process.cpuUsage()
    for (let i = 0; i < noted; i++) note()
    const { system, user } = process.cpuUsage(before)
    return (user + system) / noted
  })
}

describe("an index of operations", () => {
  it("remembers the ones noted last, however often each was noted", () => {
    const noting = fc.tuple(fc.nat(6), fc.constantFrom("fenced", "forwarded"))
    fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.array(noting), (max, notings) => {
      const operations = empty(max)
      let last: ReadonlyArray<number> = []
      for (const [i, [sequence, how]] of notings.entries()) {
        if (how === "fenced") operations.fence(key, id(sequence))
        else operations.forwarded(key, id(sequence), target(i))
        last = [...last.filter((other) => other !== sequence), sequence].slice(-max)
        const known = Array.from({ length: 7 }, (_, other) => other)
          .filter((other) => operations.find(key, id(other)) !== undefined)
        expect(known).toEqual(last.toSorted((a, b) => a - b))
      }
      expect(operations.kept).toBe(last.length)
    }))
  })

  it("forgets one of 100,000 about as fast as one of 100", () => {
    const few = Math.max(...costs(100))
    expect(Math.min(...costs(100_000))).toBeLessThan(5 * few)
  })
})
