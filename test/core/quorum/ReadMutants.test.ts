// Shows that the specification of reads notices wrong decisions, one planted fault at a time.
import { describe, expect, it } from "vitest"
import * as Real from "../../../src/core/quorum/ReadDecision.ts"
import { disagreement, exploreAll } from "./Exploration.ts"
import { allKinds, nodeChoices } from "./NodesModel.ts"
import { readCases, type ReadImplementation, reads, sparingCases } from "./ReadModel.ts"

type Decision = Real.ReadDecision
type Event = Real.ReadEvent

const found = (implementation: ReadImplementation): string | undefined =>
  disagreement(() => {
    for (const nodes of nodeChoices({ count: 2, among: allKinds })) {
      if (nodes.fallbacks.length === 2) continue
      for (const one of readCases(nodes)) {
        exploreAll(reads(implementation, one, { noise: true, late: false }))
        exploreAll(reads(implementation, one, { noise: false, late: true }))
      }
      for (const one of sparingCases(nodes)) {
        exploreAll(reads(implementation, one, { noise: false, late: true }))
      }
    }
  })

const step = (mutant: (read: Decision, event: Event) => Decision): ReadImplementation => ({
  ...Real,
  step: mutant
})

/** Changes each next decision. */
const after = (mutant: (next: Decision, read: Decision, event: Event) => Decision) =>
  step((read, event) => mutant(Real.step(read, event), read, event))

const repairs = (mutant: typeof Real.repairs): ReadImplementation => ({ ...Real, repairs: mutant })

/** Changes what the sets of nodes say, behind the back of `make`. */
const counting = (change: (nodes: Decision["nodes"]) => Partial<Decision["nodes"]>) => ({
  ...Real,
  make: (...options: Parameters<typeof Real.make>): Decision => {
    const made = Real.make(...options)
    return { ...made, nodes: { ...made.nodes, ...change(made.nodes) } }
  }
})

const isFallback = ({ nodes }: Decision, index: number): boolean => index >= nodes.targets.length

const without = (read: Decision, index: number): Decision => {
  const rest = ~(1 << index)
  const { absent, damaged, found, versions } = read.answers
  return {
    ...read,
    answers: {
      ...read.answers,
      absent: absent & rest,
      damaged: damaged & rest,
      found: found & rest,
      versions: versions.filter((one) => one.index !== index)
    }
  }
}

const mutants: Record<string, readonly [noticed: string, ReadImplementation]> = {
  "answers at r - 1": [
    "the outcome",
    {
      ...Real,
      make: (needs, nodes, options) => {
        const made = Real.make(needs, nodes, options)
        return { ...made, needs: { ...needs, r: needs.r - 1 } }
      }
    }
  ],
  "counts a fallback for pr": [
    "the outcome",
    counting(({ primaries, targets }) => ({ primaries: primaries | -1 << targets.length }))
  ],
  "asks no quorum of the previous owners": ["the outcome", counting(() => ({ previous: 0 }))],
  "believes the absence at a fallback": [
    "the outcome",
    counting(({ previous, primaries, targets }) => ({
      previous: (previous === 0 ? primaries : previous) | -1 << targets.length
    }))
  ],
  "believes the absence at an incomplete primary": [
    "the outcome",
    counting(({ previous }) => previous === 0 ? { previous: -1 } : {})
  ],
  "believes the absence at a primary that says it is incomplete": [
    "the outcome",
    step((read, event) =>
      Real.step(read, event._tag === "Absent" ? { ...event, completeness: "complete" } : event)
    )
  ],
  "counts the state of a primary that says it is incomplete for pr": [
    "the outcome",
    step((read, event) =>
      Real.step(read, event._tag === "Found" ? { ...event, complete: true } : event)
    )
  ],
  "counts damage as an answer": [
    "the outcome",
    step((read, event) =>
      Real.step(
        read,
        event._tag === "Damaged" ? { ...event, _tag: "Absent", completeness: "complete" } : event
      )
    )
  ],
  "gives a session less than it has seen": [
    "the outcome",
    step((read, event) =>
      Real.step(read, event._tag === "Found" ? { ...event, covered: true } : event)
    )
  ],
  "gives up on a session before the last answer": [
    "the outcome",
    after((next) =>
      next.outcome._tag === "Wait" && Real.had(next).r >= next.needs.r
        ? Real.step(next, { _tag: "Deadline" })
        : next
    )
  ],
  "lets a node's second answer replace its first": [
    "the outcome",
    step((read, event) =>
      event._tag === "Deadline" || event._tag === "Late" || event._tag === "Unreachable"
        || event.index < 0
        ? Real.step(read, event)
        : Real.step(without(read, event.index), event)
    )
  ],
  "fails only at the deadline": [
    "the outcome",
    after((next, read, event) =>
      event._tag === "Deadline" || next.outcome._tag === "Answer"
        ? next
        : { ...next, outcome: read.outcome }
    )
  ],
  "fails after it answered": [
    "the outcome is final",
    step((read, event) =>
      Real.step(event._tag === "Deadline" ? { ...read, outcome: { _tag: "Wait" } } : read, event)
    )
  ],
  "hears nothing once the client is answered": [
    "who is awaited",
    step((read, event) => read.outcome._tag === "Wait" ? Real.step(read, event) : read)
  ],
  "replaces no target": [
    "a lost target is replaced",
    after((next) => ({ ...next, substitutes: [] }))
  ],
  "asks no spared target when it is late": [
    "who is asked later",
    step((read, event) => event._tag === "Late" ? read : Real.step(read, event))
  ],
  "asks no spared target after a difference": [
    "who is asked later",
    after((next, read, event) =>
      event._tag === "Late" || Real.had(next).r < next.needs.r
        ? next
        : { ...next, spared: read.spared }
    )
  ],
  "spares targets though the others cannot meet the needs": [
    "who is awaited",
    {
      ...Real,
      make: (needs, nodes, options) => {
        const made = Real.make(needs, nodes, options)
        return { ...made, spared: options.spared ?? 0 }
      }
    }
  ],
  "never asks a spared target": [
    "who is asked later",
    after((next, read) => ({ ...next, spared: read.spared }))
  ],
  "counts a spared target as asked": [
    "who is awaited",
    {
      ...Real,
      make: (needs, nodes, { covered }) => Real.make(needs, nodes, { covered })
    }
  ],
  "repairs every node that has it": [
    "who is repaired",
    repairs((read, joined) => joined === undefined ? [] : Real.repairs(read, `not ${joined}`))
  ],
  "repairs with a version that no node has": [
    "who is repaired",
    repairs((read) => Real.repairs(read, "x"))
  ],
  "leaves the damaged as they are": [
    "who is repaired",
    repairs((read, joined) =>
      Real.repairs({ ...read, answers: { ...read.answers, damaged: 0 } }, joined)
    )
  ],
  "leaves the absent as they are": [
    "who is repaired",
    repairs((read, joined) =>
      Real.repairs({ ...read, answers: { ...read.answers, absent: 0 } }, joined)
    )
  ],
  "repairs an empty fallback": [
    "who is repaired",
    repairs((read, joined) => {
      const { absent, damaged } = read.answers
      return Real.repairs(
        { ...read, answers: { ...read.answers, damaged: damaged | absent } },
        joined
      )
    })
  ],
  "repairs a fallback without a hint": [
    "who is repaired",
    repairs((read, joined) =>
      Real.repairs(read, joined).map((repair) => ({ ...repair, hintFor: undefined }))
    )
  ],
  "repairs no fallback": [
    "who is repaired",
    repairs((read, joined) => {
      const versions = read.answers.versions.filter(({ index }) => !isFallback(read, index))
      return Real.repairs({ ...read, answers: { ...read.answers, versions } }, joined)
    })
  ]
}

describe("a read decision with a planted fault", () => {
  it.each(Object.entries(mutants))("that %s is noticed", (_, [noticed, mutant]) => {
    expect(found(mutant)).toBe(noticed)
  })

  it("is told from the real one, to which nothing is objected", () => {
    expect(found(Real)).toBeUndefined()
  })
})
