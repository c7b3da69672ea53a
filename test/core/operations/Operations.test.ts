// Checks the rules of operations in every order of events, and that the check notices rules that
// are broken.
import { describe, expect, it } from "vitest"
import { NodeId } from "../../../src/core/model/Names.ts"
import * as InquiryDecision from "../../../src/core/operations/InquiryDecision.ts"
import * as Mark from "../../../src/core/operations/Mark.ts"
import * as Proof from "../../../src/core/operations/Proof.ts"
import { type Bounds, explore } from "./OperationModel.ts"
import { type Rules, rules } from "./OperationNodes.ts"

const none: Bounds = {
  nodes: 2,
  hasMarks: true,
  appliesAgain: false,
  sendingsMax: 2,
  restartsMax: 0,
  evictionsMax: 0,
  refusalsMax: 0
}

describe("an operation that names itself is carried out once, or not denied falsely", () => {
  it.each<[string, Partial<Bounds>]>([
    ["with three sendings to two nodes", { sendingsMax: 3 }],
    ["with a refusal", { refusalsMax: 1 }],
    ["with three sendings and two refusals", { sendingsMax: 3, refusalsMax: 2 }],
    ["with a restart", { restartsMax: 1 }],
    ["with an eviction", { evictionsMax: 1 }],
    ["with a refusal and an eviction", { refusalsMax: 1, evictionsMax: 1 }],
    ["without marks", { hasMarks: false }],
    ["without marks, with a refusal", { hasMarks: false, refusalsMax: 1 }],
    ["that may be done again, with a refusal", { appliesAgain: true, refusalsMax: 1 }],
    ["that may be done again, with a refusal and an eviction", {
      appliesAgain: true,
      refusalsMax: 1,
      evictionsMax: 1
    }],
    ["that may be done again, with a refusal and a restart", {
      appliesAgain: true,
      refusalsMax: 1,
      restartsMax: 1
    }]
  ])("%s", (_, bounds) => {
    const explored = explore({ ...none, ...bounds })
    expect(explored.broken).toBeUndefined()
    expect(explored.situations).toBeGreaterThan(100)
  })
})

const anyIncarnation: Rules["judge"] = (memory, options) => {
  const { claim } = options
  const mark = claim.mark === undefined ? undefined : Mark.decode(claim.mark)
  const believed = mark === undefined ? memory : { ...memory, incarnation: mark.incarnation }
  return Proof.judge(believed, options)
}

describe("the model notices", () => {
  const twice = "it was carried out twice"
  const denied = "it was denied, and carried out"
  it.each<[string, string, Partial<Bounds>, Partial<Rules>]>([
    ["a fence that is ignored", twice, {}, {
      judge: (memory, options) =>
        Proof.judge(memory, {
          ...options,
          trace: options.trace?._tag === "Fenced" ? undefined : options.trace
        })
    }],
    ["a mark of another incarnation that is believed", twice, { restartsMax: 1 }, {
      judge: anyIncarnation,
      testify: (memory, options) => {
        const mark = options.mark === undefined ? undefined : Mark.decode(options.mark)
        return Proof.testify(
          mark === undefined ? memory : { ...memory, incarnation: mark.incarnation },
          options
        )
      }
    }],
    ["an evicted row that is taken for none", twice, { evictionsMax: 1 }, {
      judge: (memory, options) => Proof.judge({ ...memory, evictedThrough: 0 }, options),
      testify: (memory, options) => Proof.testify({ ...memory, evictedThrough: 0 }, options)
    }],
    ["a node that is not waited for", twice, {}, {
      step: (decision, event) =>
        event._tag === "Deadline" && decision.outcome._tag === "Wait"
          ? { ...decision, outcome: { _tag: "Do", isSure: true } }
          : InquiryDecision.step(decision, event)
    }],
    ["rivals that both go on", twice, { hasMarks: false }, {
      step: (decision, event) =>
        event._tag === "Rival" ? decision : InquiryDecision.step(decision, event)
    }],
    ["a refusal that may be forgotten, and does not count", denied, {
      appliesAgain: true,
      refusalsMax: 1,
      restartsMax: 1
    }, {
      judge: (memory, options) => {
        const verdict = Proof.judge(memory, options)
        return verdict._tag === "Inquire" ? { ...verdict, isRemembered: true } : verdict
      }
    }],
    ["an inquiry that outlasts a refusal", denied, { sendingsMax: 3, refusalsMax: 2 }, {
      step: (decision, event) =>
        event._tag === "Refused" ? decision : InquiryDecision.step(decision, event)
    }]
  ])("%s", (_, expected, bounds, mutant) => {
    expect(explore({ ...none, ...bounds }, { ...rules, ...mutant }).broken).toBe(expected)
  })
})

describe("an owner that is asked by the way", () => {
  it("is needed once a node says that it forwarded the operation there", () => {
    const [forwarder, primary, self] = ["f", "p", "q"].map((name) => NodeId.make(name))
    const mark = "x.1"
    const asked = InquiryDecision.make({
      self: self!,
      isProven: true,
      asksAll: false,
      isRemembered: true,
      ifUnknown: "fail",
      tried: [{ node: forwarder!, mark }],
      owners: [primary!, self!],
      isAway: () => false
    })
    const targets = [{ node: primary!, mark: undefined, isProven: true, isAway: false }]
    const told = { _tag: "Forwarded", from: forwarder!, mark, targets } as const
    const followed = InquiryDecision.step(asked, told)
    expect(followed.outcome).toEqual({ _tag: "Wait" })
    expect(InquiryDecision.awaited(followed)).toEqual([primary])
  })
})
