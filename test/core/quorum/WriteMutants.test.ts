// Shows that the specification of writes notices wrong decisions, one planted fault at a time.
import { describe, expect, it } from "vitest"
import * as Real from "../../../src/core/quorum/WriteDecision.ts"
import { disagreement, exploreAll } from "./Exploration.ts"
import { allKinds, nodeChoices } from "./NodesModel.ts"
import { writeCases, type WriteImplementation, writes } from "./WriteModel.ts"

type Decision = Real.WriteDecision
type Event = Real.WriteEvent

const found = (implementation: WriteImplementation): string | undefined =>
  disagreement(() => {
    for (const nodes of nodeChoices({ count: 2, among: allKinds })) {
      if (nodes.fallbacks.length === 2) continue
      for (const one of writeCases(nodes)) {
        exploreAll(writes(implementation, one, { noise: true, late: false }))
        exploreAll(writes(implementation, one, { noise: false, late: true }))
      }
    }
  })

const step = (mutant: (write: Decision, event: Event) => Decision): WriteImplementation => ({
  ...Real,
  step: mutant
})

const make = (mutant: typeof Real.make): WriteImplementation => ({ ...Real, make: mutant })

/** Changes each next decision. */
const after = (mutant: (next: Decision, write: Decision, event: Event) => Decision) =>
  step((write, event) => mutant(Real.step(write, event), write, event))

const isIn = (set: number, event: Event): boolean =>
  event._tag !== "Deadline" && (set >>> event.index & 1) === 1

const counting = (change: (nodes: Decision["nodes"]) => Partial<Decision["nodes"]>) =>
  make((needs, nodes) => {
    const made = Real.make(needs, nodes)
    return { ...made, nodes: { ...made.nodes, ...change(made.nodes) } }
  })

const failing = (
  next: Decision,
  mayHaveApplied: (outcome: Real.WriteFailed) => boolean
): Decision =>
  next.outcome._tag === "Fail"
    ? { ...next, outcome: { ...next.outcome, mayHaveApplied: mayHaveApplied(next.outcome) } }
    : next

const mutants: Record<string, readonly [noticed: string, WriteImplementation]> = {
  "answers at w - 1": [
    "the outcome",
    make((needs, nodes) => {
      const made = Real.make(needs, nodes)
      return { ...made, needs: { ...needs, w: needs.w - 1 } }
    })
  ],
  "does not look at pw": [
    "the outcome",
    make((needs, nodes) => Real.make({ ...needs, pw: 0 }, nodes))
  ],
  "takes memory for disk": [
    "the outcome",
    step((write, event) =>
      Real.step(write, event._tag === "Acknowledged" ? { ...event, durable: true } : event)
    )
  ],
  "counts a primary that says it is incomplete for pw": [
    "the outcome",
    step((write, event) =>
      Real.step(write, event._tag === "Acknowledged" ? { ...event, complete: true } : event)
    )
  ],
  "counts memory for pw though the write needs disks": [
    "the outcome",
    make((needs, nodes) => {
      const made = Real.make({ ...needs, dw: 0 }, nodes)
      return { ...made, needs: { ...needs, dw: Math.min(needs.dw, 0) } }
    })
  ],
  "counts a node twice": [
    "the outcome",
    step((write, event) => {
      const { acknowledged, durable } = write.answers
      if (event._tag !== "Acknowledged" || !isIn(acknowledged, event)) {
        return Real.step(write, event)
      }
      const others = ~(1 << event.index)
      const unasked = 1 << 29
      const answers = { acknowledged: acknowledged & others | unasked, durable: durable & others }
      return Real.step({ ...write, answers: { ...write.answers, ...answers } }, event)
    })
  ],
  "counts a fallback for pw": [
    "the outcome",
    counting(({ primaries, targets }) => ({ primaries: primaries | -1 << targets.length }))
  ],
  "counts an incomplete primary for pw": [
    "the outcome",
    make((needs, { fallbacks, targets }) =>
      Real.make(needs, {
        fallbacks,
        targets: targets.map((target) => ({
          ...target,
          primary: target.primary || !target.previous
        }))
      })
    )
  ],
  "asks no quorum of the previous owners": ["the outcome", counting(() => ({ previous: 0 }))],
  "counts nodes that were not asked": [
    "the outcome",
    step((write, event) => {
      if (event._tag !== "Acknowledged") return Real.step(write, event)
      const everyone = write.nodes.fallbacks.map(() => 0)
      const { standIns } = write
      return { ...Real.step({ ...write, standIns: everyone }, event), standIns }
    })
  ],
  "forgets an acknowledgement when a refusal follows": [
    "the outcome",
    step((write, event) => {
      if (event._tag !== "Refused" || !isIn(write.answers.acknowledged, event)) {
        return Real.step(write, event)
      }
      const acknowledged = write.answers.acknowledged & ~(1 << event.index)
      return Real.step({ ...write, answers: { ...write.answers, acknowledged } }, event)
    })
  ],
  "hears nothing from who was given up": [
    "the outcome",
    step((write, event) => isIn(write.answers.unreachable, event) ? write : Real.step(write, event))
  ],
  "does not wait for a sync that may follow": [
    "the outcome",
    after((next) =>
      next.outcome._tag === "Wait" && Real.awaited(next).length === 0
        ? Real.step(next, { _tag: "Deadline" })
        : next
    )
  ],
  "fails only at the deadline": [
    "the outcome",
    after((next, write, event) =>
      event._tag === "Deadline" ? next : { ...next, outcome: write.outcome }
    )
  ],
  "waits on after the deadline": [
    "the outcome",
    after((next, write, event) =>
      event._tag === "Deadline" ? { ...next, outcome: write.outcome } : next
    )
  ],
  "fails after it answered": [
    "the outcome is final",
    step((write, event) =>
      Real.step(event._tag === "Deadline" ? { ...write, outcome: { _tag: "Wait" } } : write, event)
    )
  ],
  "says that a write which reached no node may have applied": [
    "the outcome",
    after((next) => failing(next, () => true))
  ],
  "says that a write without an acknowledgement cannot have applied": [
    "the outcome",
    after((next) => failing(next, ({ had }) => had.w > 0))
  ],
  "replaces no target": [
    "a lost target is replaced",
    after((next) => ({ ...next, substitutes: [] }))
  ],
  "replaces no target once the client is answered": [
    "a lost target is replaced",
    after((next, write) => write.outcome._tag === "Wait" ? next : { ...next, substitutes: [] })
  ],
  "replaces only unreachable targets": [
    "a lost target is replaced",
    after((next, _, event) => event._tag === "Refused" ? { ...next, substitutes: [] } : next)
  ],
  "names a replacement again at the next step": [
    "who is replaced needs it",
    after((next, write) =>
      next.substitutes.length > 0 ? next : { ...next, substitutes: write.substitutes }
    )
  ],
  "leaves the hint for the wrong node": [
    "who is replaced needs it",
    after((next) => {
      const other = next.nodes.targets[0]!.node
      return {
        ...next,
        substitutes: next.substitutes.map((one) => ({ ...one, hintFor: other }))
      }
    })
  ],
  "asks the dead": [
    "who is awaited",
    make((needs, { fallbacks, targets }) =>
      Real.make(needs, { fallbacks, targets: targets.map((target) => ({ ...target, up: true })) })
    )
  ],
  "is settled when everyone has answered": [
    "settled",
    { ...Real, isFinished: (write) => Real.awaited(write).length === 0 }
  ],
  "is settled when the client is answered": [
    "settled",
    { ...Real, isFinished: ({ outcome }) => outcome._tag !== "Wait" }
  ]
}

describe("a write decision with a planted fault", () => {
  it.each(Object.entries(mutants))("that %s is noticed", (_, [noticed, mutant]) => {
    expect(found(mutant)).toBe(noticed)
  })

  it("is told from the real one, to which nothing is objected", () => {
    expect(found(Real)).toBeUndefined()
  })
})
