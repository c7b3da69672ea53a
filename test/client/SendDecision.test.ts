// Checks the decisions of a client together with those of the nodes: in every order of events one
// operation is applied once at most, and what the client is told of it is true.
import { describe, expect, it } from "vitest"
import * as SendDecision from "../../src/client/SendDecision.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { idsEnough, World } from "./operationWorld.ts"

const told = ({ outcome }: World): string => {
  if (outcome === undefined) return "nothing"
  const doubt = "mayHaveApplied" in outcome && outcome.mayHaveApplied ? " in doubt" : ""
  return outcome._tag + doubt
}

const play = (seed: number, ifUnknown: "fail" | "apply") => {
  const random = stream(seed, "operation")
  const world = new World({
    random,
    ifUnknown,
    idsMax: random.pick([1, 2, 3, idsEnough]),
    sendingsPerNode: random.integer(1, 3)
  })
  const steps = random.integer(3, 80)
  for (let i = 0; i < steps; i++) world.proceed()
  world.end()
  return world
}

/** Plays a run, and checks that its operation was applied once at most and its outcome is true. */
const check = (seed: number) => {
  const world = play(seed, "fail")
  const outcome = told(world)
  expect(world.timesApplied, `seed ${seed}: ${outcome}`).toBeLessThan(2)
  if (outcome === "Answer") expect(world.timesApplied, `seed ${seed}`).toBe(1)
  else if (!outcome.endsWith("in doubt")) expect(world.timesApplied, `seed ${seed}`).toBe(0)
  return `${outcome}, applied ${world.timesApplied}`
}

/** Seeds in which the model once broke what core NATS keeps: it repeats no message. */
const keptSeeds = [
  {
    title: "a node that has restarted gets no copy of a request that it read before",
    seeds: [118_715, 168_704, 187_880, 255_366, 289_367]
  },
  { title: "a node passes no copy of a request over that it has read", seeds: [76_809] },
  {
    title: "the broker tells of a message once that nobody listens",
    seeds: [125_633, 209_379, 214_694, 342_909, 343_704, 394_056]
  }
]

describe("a client and three nodes", () => {
  it.each(keptSeeds)("apply an operation once at most where $title", ({ seeds }) => {
    for (const seed of seeds) check(seed)
  })

  it("apply an operation once at most, and a client that is told so was answered truly", () => {
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 30_000; seed++) {
      outcomes.add(check(seed))
    }
    for (
      const name of [
        "Answer, applied 1",
        "NoAnswer in doubt, applied 0",
        "NoAnswer in doubt, applied 1",
        "OperationUnknown in doubt, applied 0",
        "OperationUnknown in doubt, applied 1",
        "NodeUnavailable, applied 0",
        "Overloaded, applied 0"
      ]
    ) expect([...outcomes]).toContain(name)
  })

  it("never answer that nobody can tell where the client prefers a second time", () => {
    let twice = 0
    for (let seed = 1; seed <= 10_000; seed++) {
      const world = play(seed, "apply")
      if (world.timesApplied > 1) twice++
    }
    expect(twice).toBeGreaterThan(0)
  })
})

const names = ["n1", "n2", "n3"].map((name) => NodeId.make(name))

const isOver = ({ next }: SendDecision.SendDecision) => next._tag === "Pass" || next._tag === "Fail"

/** One request whose events are drawn: who owes it an answer is counted apart from its decision. */
const ask = (seed: number) => {
  const random = stream(seed, "owed")
  const naming = random.pick(["read", "named", "marked"] as const)
  const limits = {
    sendingsPerNode: random.integer(1, 2),
    attemptsMax: random.integer(2, 6),
    staleMarksPerNode: random.integer(2, 4)
  }
  const markFor = () => (naming === "marked" ? random.pick(["", "mark"]) : undefined)
  let decision = SendDecision.make(naming, { node: names[0], mark: markFor() })
  const owed = new Set([0])
  /** Whether all that owe an answer were asked for a mark alone, and no node may have done it. */
  const isUndone = () =>
    naming === "marked" && !SendDecision.mayHaveApplied(decision)
    && [...owed].every((attempt) => decision.attempts[attempt]!.mark === "")
  let event: SendDecision.SendEvent = { _tag: "Late" }
  const step = (next: SendDecision.SendEvent) => {
    event = next
    decision = SendDecision.step(decision, next, limits)
  }
  const send = (node: NodeId | undefined) => {
    owed.add(decision.attempts.length)
    step({ _tag: "Sent", node, mark: markFor() })
  }
  const carryOut = () => {
    const { avoid, next } = decision
    if (next._tag === "Ask") return send(next.node)
    if (next._tag !== "AskAnother") return
    const node = names.find((name) => !avoid.has(name))
    if (node !== undefined || next.orElse === "any") send(node)
    else step({ _tag: "NoOther" })
  }
  for (let steps = 0; steps < 60 && !isOver(decision); steps++) {
    if (random.chance(0.4)) step({ _tag: "Late" })
    else {
      const attempt = random.pick([...owed])
      owed.delete(attempt)
      const node = decision.attempts[attempt]!.node ?? random.pick(names)
      const drawn = random.pick<SendDecision.SendEvent>([
        { _tag: "Denied", attempt },
        { _tag: "Refused", attempt, node, canMove: true },
        { _tag: "Refused", attempt, node, canMove: naming === "read" },
        { _tag: "Undelivered", attempt },
        { _tag: "Gone", attempt },
        { _tag: "StaleMark", attempt, node },
        { _tag: "InDoubt", attempt }
      ])
      // An earlier sending may have got through.
      const { isAwaited, sendings } = decision.attempts[attempt]!
      if (drawn._tag === "Denied" && isAwaited && sendings > 1) owed.add(attempt)
      step(drawn)
      if (drawn._tag === "Refused" && !drawn.canMove && isUndone()) owed.clear()
    }
    for (let i = 0; i < 3; i++) carryOut()
  }
  return { owed, event, hasEnded: isOver(decision) }
}

describe("a request", () => {
  it("ends before its deadline exactly where no node owes it an answer", () => {
    let ends = 0
    for (let seed = 1; seed <= 20_000; seed++) {
      const { event, hasEnded, owed } = ask(seed)
      if (hasEnded) ends++
      expect(hasEnded, `seed ${seed}, after ${JSON.stringify(event)}`).toBe(owed.size === 0)
    }
    expect(ends).toBeGreaterThan(1_000)
  })
})

describe("a node whose mark has always moved on", () => {
  const limits = { sendingsPerNode: 2, attemptsMax: 64, staleMarksPerNode: 3 }

  /** Carries a decision out at nodes of which each always names a newer mark. */
  const play = (first: NodeId | undefined, random = stream(1, "any node")) => {
    let decision = SendDecision.make("marked", { node: first, mark: "" })
    const asked = new Map<NodeId, number>()
    let node = first
    while (!isOver(decision)) {
      const at = node ?? random.pick(names)
      asked.set(at, (asked.get(at) ?? 0) + 1)
      const attempt = decision.attempts.length - 1
      decision = SendDecision.step(decision, { _tag: "StaleMark", attempt, node: at }, limits)
      const { avoid, next } = decision
      if (next._tag === "Ask") node = next.node
      else if (next._tag === "AskAnother") {
        node = names.find((name) => !avoid.has(name))
        if (node === undefined && next.orElse === "end") {
          decision = SendDecision.step(decision, { _tag: "NoOther" }, limits)
        }
      }
      if (isOver(decision)) break
      decision = SendDecision.step(decision, { _tag: "Sent", node, mark: "mark" }, limits)
    }
    return { asked, decision }
  }

  it("is left for another one after a few messages, and the request ends when all are", () => {
    const { asked, decision } = play(names[0])
    // One more, which the broker chose, was asked in the end.
    expect([...asked.values()].sort((a, b) => a - b)).toEqual([3, 3, 4])
    expect(decision.next).toEqual({ _tag: "Pass" })
    expect(SendDecision.mayHaveApplied(decision)).toBe(false)
  })

  it("is left likewise where the broker chose it", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { asked } = play(undefined, stream(seed, "any node"))
      const most = Math.max(...asked.values())
      expect(most, `seed ${seed}`).toBeLessThanOrEqual(limits.staleMarksPerNode)
    }
  })
})
