/**
 * Says what a write's decision must be, from all that was heard so far and nothing else, and
 * compares an implementation with it.
 */
import type { Nodes } from "../../../src/core/quorum/Targets.ts"
import type * as WriteDecision from "../../../src/core/quorum/WriteDecision.ts"
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

export type WriteImplementation = Pick<
  typeof WriteDecision,
  "make" | "step" | "awaited" | "isFinished"
>
type Counts = WriteDecision.WriteCounts
type Outcome = WriteDecision.WriteDecision["outcome"]

export interface WriteCase {
  readonly needs: Counts
  readonly nodes: Nodes
}

/** Every legal `w`, `pw`, `dw` for these nodes. */
export const writeCases = (nodes: Nodes): ReadonlyArray<WriteCase> => {
  const n = replicasOf(nodes)
  return range(1, n).flatMap((w) =>
    range(0, n).flatMap((pw) => range(0, n).map((dw) => ({ needs: { w, pw, dw }, nodes })))
  )
}

/** The answers of a node, weakest first. The strongest of them counts. */
const strengths = ["awaited", "unreachable", "refused", "stored", "synced"] as const
type Saying = typeof strengths[number]
/** A node that was complete in any of its acknowledgements is so from then on: `stored!`. */
type Said = Saying | "stored!" | "synced!"
const allSaid: ReadonlyArray<Said> = [...strengths, "stored!", "synced!"]

const sayingOf = (said: Said): Saying =>
  said === "stored!" ? "stored" : said === "synced!" ? "synced" : said

const isWhole = (said: Said): boolean => said.endsWith("!")

/** All that a node said, after it said one thing more. */
const after = (before: Said, said: Said): Said => {
  const [left, right] = [sayingOf(before), sayingOf(said)]
  const stronger = strengths.indexOf(right) > strengths.indexOf(left) ? right : left
  const isStored = stronger === "stored" || stronger === "synced"
  return isStored && (isWhole(before) || isWhole(said)) ? `${stronger}!` : stronger
}

interface Run extends Roll {
  readonly decision: WriteDecision.WriteDecision
  /** By index: the strongest of all that this node said after it was asked. */
  readonly heard: ReadonlyArray<Said>
}

const lostIn = ({ heard }: Run) => (index: number): boolean =>
  heard[index] === "unreachable" || heard[index] === "refused"

const isEnough = (had: Counts, needed: Counts): boolean =>
  had.w >= needed.w && had.pw >= needed.pw && had.dw >= needed.dw

interface Moment {
  readonly isLast: boolean
  /** Those who had been sent the write before. */
  readonly sentTo: ReadonlyArray<number>
}

/** The outcome of what was heard, where there was none before. */
const expected = ({ needs, nodes }: WriteCase, run: Run, moment: Moment): string => {
  const saying = (...said: ReadonlyArray<Saying>): ReadonlyArray<number> =>
    run.asked.filter((index) => said.includes(sayingOf(run.heard[index]!)))
  const whole = (index: number) => isWhole(run.heard[index]!)
  const stored = saying("stored", "synced")
  const synced = saying("synced")
  const votes = (needs.dw > 0 ? synced : stored).filter(whole)
  const had = { w: stored.length, pw: primaryVotes(nodes, votes), dw: synced.length }
  if (isEnough(had, needs)) return "Answer"
  const hoped = [...saying("awaited"), ...coming(nodes, run, lostIn(run))]
  const best = [...stored, ...hoped]
  const bestVotes = [...synced.filter(whole), ...saying("stored"), ...hoped]
  const hope = { w: best.length, pw: primaryVotes(nodes, bestVotes), dw: best.length }
  if (!moment.isLast && isEnough(hope, needs)) return "Wait"
  return JSON.stringify({
    needed: needs,
    had,
    unreachable: namesOf(nodes, [...saying("unreachable"), ...downOf(nodes)]),
    refused: namesOf(nodes, saying("refused")),
    incomplete: namesOf(nodes, stored.filter((index) => !whole(index))),
    mayHaveApplied: moment.sentTo.some((index) => run.heard[index] !== "refused")
  })
}

/** An outcome as `expected` spells it. */
const spelled = (outcome: Outcome): string =>
  outcome._tag !== "Fail" ? outcome._tag : JSON.stringify({
    needed: outcome.needed,
    had: outcome.had,
    unreachable: outcome.unreachable.toSorted(),
    refused: outcome.refused.map(({ node, reason }) => node + reason).toSorted(),
    incomplete: outcome.incomplete.toSorted(),
    mayHaveApplied: outcome.mayHaveApplied
  })

/** Checks the next decision against what was heard, and takes over who is asked next. */
const compare = (
  implementation: WriteImplementation,
  writeCase: WriteCase,
  options: Moment & { readonly before: Outcome; readonly after: Run }
): Run => {
  const { after, before } = options
  const { nodes } = writeCase
  const { outcome, substitutes } = after.decision
  if (before._tag !== "Wait") agree(outcome === before, "the outcome is final")
  else agree(spelled(outcome) === expected(writeCase, after, options), "the outcome")
  const isLost = lostIn(after)
  const next = { ...after, ...takeOver(nodes, after, { substitutes, isLost }) }
  const isDead = outcome._tag === "Fail" && !outcome.mayHaveApplied
  if (isDead) agree(substitutes.length === 0, "a write that no node has goes nowhere")
  else if (next.standsFor.length < nodes.fallbacks.length) {
    agree(lacking(nodes, next, isLost).length === 0, "a lost target is replaced")
  }
  const awaited = namesOf(nodes, next.asked.filter((index) => next.heard[index] === "awaited"))
  agree(implementation.awaited(next.decision).join() === awaited.join(), "who is awaited")
  const isFinished = awaited.length === 0 && outcome._tag !== "Wait"
  agree(implementation.isFinished(next.decision) === isFinished, "settled")
  return next
}

const saidBy = (event: WriteDecision.WriteEvent): Said =>
  event._tag === "Acknowledged"
    ? `${event.durable ? "synced" : "stored"}${event.complete ? "!" : ""}`
    : event._tag === "Refused"
    ? "refused"
    : "unreachable"

const eventsOf = (index: number): ReadonlyArray<WriteDecision.WriteEvent> => [
  { _tag: "Acknowledged", index, durable: true, complete: true },
  { _tag: "Acknowledged", index, durable: true, complete: false },
  { _tag: "Acknowledged", index, durable: false, complete: true },
  { _tag: "Acknowledged", index, durable: false, complete: false },
  { _tag: "Refused", index, reason: "" },
  { _tag: "Unreachable", index }
]

export const writes = (
  implementation: WriteImplementation,
  writeCase: WriteCase,
  extent: Extent
): Exploration<Run, WriteDecision.WriteEvent> => {
  const { fallbacks, targets } = writeCase.nodes
  const count = targets.length + fallbacks.length
  const decision = implementation.make(writeCase.needs, writeCase.nodes)
  const heard = Array<Said>(count).fill("awaited")
  const start: Run = { decision, heard, ...startingRoll(writeCase.nodes) }
  const moment = { isLast: false, sentTo: [] }
  return {
    start: compare(implementation, writeCase, {
      ...moment,
      before: { _tag: "Wait" },
      after: start
    }),
    events: (run) =>
      run.decision.outcome._tag !== "Wait" && !extent.late ? [] : [
        ...range(-1, count)
          .filter((i) => extent.noise || run.asked.includes(i) && run.heard[i] === "awaited")
          .flatMap(eventsOf),
        { _tag: "Deadline" }
      ],
    step: (run, event) => {
      const isLast = event._tag === "Deadline"
      const said = saidBy(event)
      const heard = run.heard.map((before, i) => {
        const isHeard = run.asked.includes(i) && (isLast || event.index === i)
        return isHeard ? after(before, said) : before
      })
      return compare(implementation, writeCase, {
        isLast,
        sentTo: run.asked,
        before: run.decision.outcome,
        after: { ...run, heard, decision: implementation.step(run.decision, event) }
      })
    },
    key: ({ decision, heard, standsFor }) =>
      packed([
        ...heard.map((said) => allSaid.indexOf(said)),
        ...standsFor,
        ["Wait", "Answer", "Fail"].indexOf(decision.outcome._tag)
      ])
  }
}
