// Checks that a message that is repeated by the network is answered as it was the first time.
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { ForwardDeduplication } from "../../src/coordinator/ForwardDeduplication.ts"
import type { Answer, AnswerAddress } from "../../src/coordinator/Request.ts"
import { NodeUnwritable, QuorumNotMet, type StoreError } from "../../src/core/model/StoreError.ts"

const answer: Answer = { _tag: "Answer", values: [], context: "", replied: 1, siblings: 0 }
const refused = new NodeUnwritable({ node: "n1", reason: "full" })
const unsure = new QuorumNotMet({
  action: "write",
  needed: { w: 2 },
  had: { w: 1 },
  unreachable: [],
  refused: [],
  mayHaveApplied: true
})

/** Sends a message twice; the second time it would be carried out. */
const twice = (first: Answer | StoreError) => {
  const deduplication = new ForwardDeduplication(lan.node)
  const outcomes: Array<Answer | StoreError> = []
  const origin = { name: "n2 1", deliver: (outcome: Answer | StoreError) => outcomes.push(outcome) }
  deduplication.run(origin, (address) => address.deliver(first))
  deduplication.run(origin, (address) => address.deliver(answer))
  return outcomes
}

describe("a forwarded write that comes twice", () => {
  it("is refused again where it was refused", () => {
    expect(twice(refused)).toEqual([refused, refused])
  })

  it("is carried out again where it was, or may have been: its document knows it", () => {
    expect(twice(answer)).toEqual([answer, answer])
    expect(twice(unsure)).toEqual([unsure, answer])
  })

  it("is carried out again once as many others were refused as the limit says", () => {
    const deduplication = new ForwardDeduplication({ forwardRefusalsMax: 1 })
    const carriedOut: Array<string> = []
    for (const name of ["n2 1", "n2 2", "n2 2", "n2 1"]) {
      deduplication.run({ name, deliver: () => undefined }, (address) => {
        carriedOut.push(name)
        address.deliver(refused)
      })
    }
    expect(carriedOut).toEqual(["n2 1", "n2 2", "n2 1"])
  })

  it("waits for the first time to end", () => {
    const deduplication = new ForwardDeduplication(lan.node)
    const outcomes: Array<Answer | StoreError> = []
    const deliver = (outcome: Answer | StoreError) => outcomes.push(outcome)
    const origin = { name: "n2 1", deliver }
    let first: AnswerAddress<Answer> | undefined
    deduplication.run(origin, (address) => {
      first = address
    })
    deduplication.run(origin, (address) => address.deliver(answer))
    expect(outcomes).toEqual([])
    first?.deliver(refused)
    expect(outcomes).toEqual([refused])
  })
})
