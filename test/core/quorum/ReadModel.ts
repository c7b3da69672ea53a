/**
 * Says what a read's decision must be, from all that was heard so far and nothing else, and
 * compares an implementation with it.
 *
 * Two states, x and y, are about; joined they are a third, xy. A session, where there is one, has
 * seen y.
 */
import type * as ReadDecision from "../../../src/core/quorum/ReadDecision.ts"
import type { Nodes } from "../../../src/core/quorum/Targets.ts"
import { agree, type Exploration, type Extent } from "./Exploration.ts"
import {
  coming,
  downOf,
  lacking,
  namesOf,
  packed,
  primaryVotes,
  range,
  replicasOf,
  type Roll,
  startingRoll,
  takeOver
} from "./NodesModel.ts"

export type ReadImplementation = Pick<
  typeof ReadDecision,
  "make" | "step" | "added" | "awaited" | "isFinished" | "repairs"
>
type Counts = ReadDecision.ReadCounts
type Outcome = ReadDecision.ReadDecision["outcome"]

export interface ReadCase {
  readonly needs: Counts
  readonly nodes: Nodes
  readonly hasSession: boolean
  /** Targets that are not asked at first. */
  readonly spared: ReadonlyArray<number>
}

/** Every legal `r` and `pr` for these nodes, with a session and without. */
export const readCases = (
  nodes: Nodes,
  spared: ReadonlyArray<number> = []
): ReadonlyArray<ReadCase> => {
  const n = replicasOf(nodes)
  return range(1, n).flatMap((r) =>
    range(0, n).flatMap((pr) =>
      [false, true].map((hasSession) => ({ needs: { r, pr }, nodes, hasSession, spared }))
    )
  )
}

/** The same, for every choice of one target or more that is spared and up. */
export const sparingCases = (nodes: Nodes): ReadonlyArray<ReadCase> =>
  range(1, (1 << nodes.targets.length) - 1)
    .map((set) => range(0, nodes.targets.length - 1).filter((i) => (set >> i & 1) === 1))
    .filter((spared) => spared.every((i) => nodes.targets[i]!.up))
    .flatMap((spared) => readCases(nodes, spared))

/**
 * Of what a node says, the first holds, but being unreachable is not saying anything. A complete
 * node says so: `x!`. One that is unsure may have nothing: `absent?`.
 */
const sayings = [
  "no answer",
  "unreachable",
  "absent",
  "damaged",
  "x",
  "y",
  "absent?",
  "absent!",
  "x!",
  "y!"
] as const
type Said = typeof sayings[number]
const isWhole = (said: Said): boolean => said.endsWith("!")

interface Run extends Roll {
  /** Targets that were not asked until now. */
  readonly spared: ReadonlyArray<number>
  readonly decision: ReadDecision.ReadDecision
  /** By index: what holds of all that this node said after it was asked. */
  readonly heard: ReadonlyArray<Said>
  /** All states that came, joined by the caller: "", "x", "y" or "xy". */
  readonly joined: string
}

const lostIn = ({ heard }: Run) => (index: number): boolean => heard[index] === "unreachable"

const isEnough = (had: Counts, needed: Counts): boolean => had.r >= needed.r && had.pr >= needed.pr

const isCovered = ({ hasSession }: ReadCase, { joined }: Run): boolean =>
  !hasSession || joined.includes("y")

/** What the answers are worth, and what they may be with those that are still to come. */
const tallied = ({ needs, nodes }: ReadCase, run: Run) => {
  const saying = (...said: ReadonlyArray<Said>): ReadonlyArray<number> =>
    run.asked.filter((index) => said.includes(run.heard[index]!))
  const knows = (index: number): boolean =>
    nodes.targets[index]?.primary === true || nodes.targets[index]?.previous === true
  const whole = (index: number) => isWhole(run.heard[index]!)
  const votes = [...saying("x", "y", "x!", "y!"), ...saying("absent?", "absent!").filter(knows)]
  const had = { r: votes.length, pr: primaryVotes(nodes, votes.filter(whole)) }
  const hoped = [...saying("no answer"), ...coming(nodes, run, lostIn(run))]
  const best = [...votes, ...hoped]
  const bestWhole = [...votes.filter(whole), ...hoped]
  const mayBeMet = isEnough({ r: best.length, pr: primaryVotes(nodes, bestWhole) }, needs)
  return { saying, had, hoped, isMet: isEnough(had, needs), mayBeMet }
}

type Moment = "Late" | "Deadline" | undefined

/** Whether the spared targets are to be asked, by all that was heard from the others. */
const wantsAll = (
  readCase: ReadCase,
  run: Run,
  { isOpen, moment }: { readonly isOpen: boolean; readonly moment: Moment }
): boolean => {
  const { isMet, mayBeMet } = tallied(readCase, run)
  const said = new Set(
    run.asked.map((index) => run.heard[index]!.replace(/[!?]/u, ""))
      .filter((each) => each !== "no answer" && each !== "unreachable")
  )
  const isBehind = said.has("damaged") || said.size > 1
  const isTooFew = isMet ? !isCovered(readCase, run) : !mayBeMet
  return moment !== "Deadline" && (isBehind || isOpen && (moment === "Late" || isTooFew))
}

/** The outcome of what was heard, where there was none before. */
const expected = (readCase: ReadCase, run: Run, isLast: boolean): string => {
  const { needs, nodes } = readCase
  const { had, hoped, isMet, mayBeMet, saying } = tallied(readCase, run)
  if (isMet && isCovered(readCase, run)) return "Answer"
  if (!isLast && hoped.length > 0 && mayBeMet) return "Wait"
  return JSON.stringify({
    _tag: isMet ? "NotCovered" : "Fail",
    needed: needs,
    had,
    unreachable: namesOf(nodes, [...saying("unreachable"), ...downOf(nodes)]),
    damaged: namesOf(nodes, saying("damaged")),
    incomplete: namesOf(nodes, saying("absent", "absent?", "x", "y"))
  })
}

/** An outcome as `expected` spells it. */
const spelled = (outcome: Outcome): string =>
  outcome._tag === "Wait" || outcome._tag === "Answer" ? outcome._tag : JSON.stringify(outcome)

type Repairs = ReadonlyArray<ReadDecision.Repair>

const expectedRepairs = ({ nodes }: ReadCase, run: Run): Repairs =>
  run.joined === "" ? [] : run.asked.toSorted((a, b) => a - b).flatMap((index): Repairs => {
    const said = run.heard[index]!.replace(/[!?]/u, "")
    const target = nodes.targets[index]
    const isStale = (said === "x" || said === "y") && said !== run.joined
    if (!isStale && said !== "damaged" && (said !== "absent" || target === undefined)) return []
    if (target !== undefined) return [{ node: target.node, hintFor: undefined }]
    const fallback = index - nodes.targets.length
    const hintFor = nodes.targets[run.standsFor[fallback]!]!.node
    return [{ node: nodes.fallbacks[fallback]!, hintFor }]
  })

const spelledRepairs = (repairs: Repairs): string =>
  repairs.map(({ hintFor, node }) => `${node} for ${hintFor}`).join()

/** Checks the next decision against what was heard, and takes over who is asked next. */
const compare = (
  implementation: ReadImplementation,
  readCase: ReadCase,
  options: {
    readonly from: ReadDecision.ReadDecision | undefined
    readonly run: Run
    readonly moment: Moment
  }
): Run => {
  const { from, moment, run } = options
  const { nodes } = readCase
  const before: Outcome = from?.outcome ?? { _tag: "Wait" }
  const isOpen = before._tag === "Wait"
  const isLast = moment === "Deadline"
  const added = wantsAll(readCase, run, { isOpen, moment }) ? run.spared : []
  const after = added.length === 0
    ? run
    : { ...run, asked: [...run.asked, ...added].toSorted((a, b) => a - b), spared: [] }
  if (from !== undefined) {
    const names = implementation.added(from, run.decision)
    agree(names.join() === namesOf(nodes, added).join(), "who is asked later")
  }
  const { outcome, substitutes } = after.decision
  if (!isOpen) agree(outcome === before, "the outcome is final")
  else agree(spelled(outcome) === expected(readCase, after, isLast), "the outcome")
  const isLost = lostIn(after)
  const next = { ...after, ...takeOver(nodes, after, { substitutes, isLost }) }
  if (outcome._tag !== "Wait") agree(substitutes.length === 0, "no node is asked after the outcome")
  else if (next.standsFor.length < nodes.fallbacks.length) {
    agree(lacking(nodes, next, isLost).length === 0, "a lost target is replaced")
  }
  const awaited = namesOf(nodes, next.asked.filter((index) => next.heard[index] === "no answer"))
  agree(implementation.awaited(next.decision).join() === awaited.join(), "who is awaited")
  agree(outcome._tag !== "Wait" || awaited.length > 0, "somebody owes an answer")
  agree(implementation.isFinished(next.decision) === (awaited.length === 0), "settled")
  const version = next.joined === "" ? undefined : next.joined
  const repairs = spelledRepairs(implementation.repairs(next.decision, version))
  agree(repairs === spelledRepairs(expectedRepairs(readCase, next)), "who is repaired")
  return next
}

/** The event as a network would bring it; what it covers is for the caller to say. */
type Reply = Exclude<ReadDecision.ReadEvent, { readonly _tag: "Found" }> | {
  readonly _tag: "Found"
  readonly index: number
  readonly version: "x" | "y"
  readonly complete: boolean
}

const absences = { incomplete: "absent", unsure: "absent?", complete: "absent!" } as const

const saidBy = (reply: Reply): Said => {
  switch (reply._tag) {
    case "Found":
      return reply.complete ? `${reply.version}!` : reply.version
    case "Absent":
      return absences[reply.completeness]
    case "Damaged":
      return "damaged"
    case "Unreachable":
    case "Deadline":
      return "unreachable"
    case "Late":
    case "Suspect":
      return "no answer"
  }
}

const repliesOf = (index: number): ReadonlyArray<Reply> => [
  { _tag: "Found", index, version: "x", complete: true },
  { _tag: "Found", index, version: "y", complete: true },
  { _tag: "Found", index, version: "y", complete: false },
  { _tag: "Absent", index, completeness: "incomplete" },
  { _tag: "Absent", index, completeness: "unsure" },
  { _tag: "Absent", index, completeness: "complete" },
  { _tag: "Damaged", index },
  { _tag: "Unreachable", index }
]

const step =
  (implementation: ReadImplementation, readCase: ReadCase) => (run: Run, reply: Reply) => {
    const said = saidBy(reply)
    const moment = reply._tag === "Deadline" || reply._tag === "Late" ? reply._tag : undefined
    const heard = run.heard.map((before, i) => {
      const isHeard = run.asked.includes(i)
        && (reply._tag === "Deadline" || reply._tag !== "Late" && reply.index === i)
      const isOpen = before === "no answer" || before === "unreachable" && said !== "unreachable"
      return isHeard && isOpen ? said : before
    })
    const isJoined = reply._tag === "Found" && run.asked.includes(reply.index)
    const isNew = isJoined && !run.joined.includes(reply.version)
    const joined = isNew ? (run.joined + reply.version).replace("yx", "xy") : run.joined
    const after = { ...run, heard, joined }
    const event = reply._tag === "Found"
      ? { ...reply, covered: isCovered(readCase, after) }
      : reply
    return compare(implementation, readCase, {
      moment,
      from: run.decision,
      run: { ...after, decision: implementation.step(run.decision, event) }
    })
  }

export const reads = (
  implementation: ReadImplementation,
  readCase: ReadCase,
  extent: Extent
): Exploration<Run, Reply> => {
  const { nodes } = readCase
  const count = nodes.targets.length + nodes.fallbacks.length
  const heard = Array<Said>(count).fill("no answer")
  const covered = !readCase.hasSession
  const { needs, spared } = readCase
  const set = spared.reduce((found, index) => found | 1 << index, 0)
  const decision = implementation.make(needs, nodes, { covered, spared: set })
  const roll = startingRoll(nodes)
  const asked = roll.asked.filter((index) => !spared.includes(index))
  const start: Run = { decision, heard, joined: "", ...roll, asked, spared }
  return {
    start: compare(implementation, readCase, {
      moment: undefined,
      from: undefined,
      run: start
    }),
    events: (run) =>
      run.decision.outcome._tag !== "Wait" && !extent.late ? [] : [
        ...range(-1, count)
          .filter((i) => extent.noise || run.asked.includes(i) && run.heard[i] === "no answer")
          .flatMap(repliesOf),
        { _tag: "Deadline" },
        { _tag: "Late" }
      ],
    step: step(implementation, readCase),
    key: ({ decision, heard, joined, spared, standsFor }) =>
      packed([
        ...heard.map((said) => sayings.indexOf(said)),
        ...standsFor,
        spared.length === 0 ? 0 : 1,
        ["", "x", "y", "xy"].indexOf(joined),
        ["Wait", "Answer", "Fail", "NotCovered"].indexOf(decision.outcome._tag)
      ])
  }
}
