/**
 * Decides, answer by answer, whether a read can be answered, and in the end which replicas must be
 * repaired.
 *
 * The states themselves stay with the caller, who joins each into its answer as it comes; here they
 * are versions, compared by equality. A state counts as an answer, from any node. "Absent" counts
 * only from a primary that does not say that it is incomplete: a fallback or an incomplete primary
 * that has nothing knows nothing, and believing it returned "not found" for documents that existed
 * (basho/riak_cs #170). For `pr` only answers of primaries count that say that they are complete. A
 * damaged row is no answer, but is remembered for repair.
 *
 * A read may spare some targets, while the others can meet its needs. It asks all of them as soon
 * as those cannot, or do not cover the session's context; when it is late; and when the replicas
 * that answered differ, or one is damaged, so that every replica is repaired that is behind.
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, sections 4.5 and 5 (read repair)
 * @see basho/riak_kv:src/riak_kv_get_core.erl
 */
import type { Completeness } from "../model/Completeness.ts"
import type { NodeId } from "../model/Names.ts"
import type { ReadNeeds } from "./Quorum.ts"
import * as Targets from "./Targets.ts"

/** A text that tells two states of one document apart, such as a digest of their contexts. */
export type Version = string | number

/** Nodes are named by their index (see `Targets`); answers of nodes not asked are ignored. */
export type ReadEvent =
  | {
    readonly _tag: "Found"
    readonly index: number
    readonly version: Version
    /** Whether all states joined so far, this one included, cover the session's context. */
    readonly covered: boolean
    /** Whether the node says that it is complete. */
    readonly complete: boolean
  }
  | { readonly _tag: "Absent"; readonly index: number; readonly completeness: Completeness }
  | { readonly _tag: "Damaged"; readonly index: number }
  /** It could not be reached, or its time is up; means nothing after an answer. */
  | { readonly _tag: "Unreachable"; readonly index: number }
  /** It may be down, or is slow: a fallback stands in, and its own answer is still waited for. */
  | { readonly _tag: "Suspect"; readonly index: number }
  /** Answers take longer than most do. */
  | { readonly _tag: "Late" }
  /** The request's time is up: all nodes that have not answered are unreachable. */
  | { readonly _tag: "Deadline" }

/** Counts of answers; {@link ReadNeeds} says what each means. */
export type ReadCounts = Pick<ReadNeeds, "r" | "pr">

export interface ReadFailed {
  /** `NotCovered`: enough answers, but older than the session's context. May be retried. */
  readonly _tag: "Fail" | "NotCovered"
  readonly needed: ReadCounts
  readonly had: ReadCounts
  readonly unreachable: ReadonlyArray<NodeId>
  readonly damaged: ReadonlyArray<NodeId>
  /** Answered, and do not say that they are complete. */
  readonly incomplete: ReadonlyArray<NodeId>
}

export interface ReadDecision {
  /** The outcome for the client. Changes at most once, from `Wait`; compare by identity. */
  readonly outcome: { readonly _tag: "Wait" } | { readonly _tag: "Answer" } | ReadFailed
  /** Fallbacks to ask, after this step; none once the outcome is known. */
  readonly substitutes: ReadonlyArray<Targets.Substitute>
  readonly needs: ReadCounts
  readonly nodes: Targets.Targets
  readonly answers: Answers
  readonly standIns: Targets.StandIns
  /** Targets that are not asked, as far as is known now. */
  readonly spared: number
}

/** All but what follows from it. */
type Known = Omit<ReadDecision, "outcome" | "substitutes">

/**
 * Invariant: the first four sets are disjoint, and `versions` has an entry for each in `found`;
 * `unknowing`, who are incomplete, is in `absent`, and `complete` in `found` and the rest of it.
 */
interface Answers {
  readonly found: number
  readonly absent: number
  readonly damaged: number
  readonly unreachable: number
  readonly unknowing: number
  readonly complete: number
  /** Nodes that may not answer; they are in no other set, or in any. */
  readonly suspects: number
  readonly covered: boolean
  readonly versions: ReadonlyArray<{ readonly index: number; readonly version: Version }>
}

/** A node to send the joined state to. A fallback gets a hint with it, lest it keep it for ever. */
export interface Repair {
  readonly node: NodeId
  readonly hintFor: NodeId | undefined
}

/**
 * The decision before anything is sent. It fails at once, and no node is to be asked, if even the
 * answers of all nodes that are up would not meet the needs. `covered` where there is no session,
 * or having nothing covers its context. `spared` targets are not asked, unless the others cannot
 * meet the needs. `suspects` may be down: where they are asked, so is a fallback for each.
 */
export const make = (
  needs: ReadCounts,
  nodes: Targets.Nodes,
  options: { readonly covered: boolean; readonly spared?: number; readonly suspects?: number }
): ReadDecision => {
  const targets = Targets.make(nodes)
  const answers: Answers = {
    found: 0,
    absent: 0,
    damaged: 0,
    unreachable: targets.down,
    unknowing: 0,
    complete: 0,
    suspects: options.suspects ?? 0,
    covered: options.covered,
    versions: Targets.none
  }
  const before = {
    outcome: wait,
    substitutes: Targets.none,
    needs,
    nodes: targets,
    answers,
    standIns: Targets.none,
    spared: options.spared ?? 0
  }
  return decide(before, answers, undefined)
}

/**
 * The decision after an event.
 *
 * **Guarantees** `Answer` as soon as the needs are met and the session's context is covered; `Fail`
 * as soon as states from all nodes that have not answered would not meet the needs; `NotCovered`
 * when they are met and no node is left to ask. Of several answers of one node the first counts,
 * but a repeat may still report `covered`. A target that is unreachable is replaced by the next
 * fallback. All spared targets are asked in one step, or none.
 */
export const step = (read: ReadDecision, event: ReadEvent): ReadDecision => {
  const answers = hear(read.answers, event, asked(read))
  const moment = event._tag === "Deadline" || event._tag === "Late" ? event._tag : undefined
  if (answers === read.answers && moment === undefined) {
    return read.substitutes.length === 0 ? read : { ...read, substitutes: Targets.none }
  }
  return decide(read, answers, moment)
}

/** The nodes to ask after a step, besides substitutes: those that were spared until then. */
export const added = (before: ReadDecision, after: ReadDecision): ReadonlyArray<NodeId> =>
  before.spared === after.spared
    ? Targets.none
    : Targets.nodesOf(after.nodes, before.spared & ~after.spared)

/** The answers so far. */
export const had = ({ answers, nodes }: Known): ReadCounts => {
  const votes = votesOf(nodes, answers)
  return {
    r: Targets.size(votes),
    pr: Targets.primaryVotes(nodes, votes & answers.complete)
  }
}

/** The nodes that were asked and have neither answered nor been given up. */
export const awaited = (read: ReadDecision): ReadonlyArray<NodeId> =>
  Targets.nodesOf(read.nodes, pending(read.answers, asked(read)))

/** Whether every node that was asked has answered or is given up: time for {@link repairs}. */
export const isFinished = (read: ReadDecision): boolean => pending(read.answers, asked(read)) === 0

/**
 * The nodes whose answer differs from the join of all answers, absent and damaged ones included. An
 * absent document is no fault of a fallback. Where no replica has a state, none is repaired.
 */
export const repairs = (
  { answers, nodes, standIns }: ReadDecision,
  joined: Version | undefined
): ReadonlyArray<Repair> => {
  if (joined === undefined) return Targets.none
  const count = nodes.targets.length
  let stale = answers.absent & Targets.firstIndices(count) | answers.damaged
  for (const { index, version } of answers.versions) {
    if (version !== joined) stale |= 1 << index
  }
  if (stale === 0) return Targets.none
  const found: Array<Repair> = []
  for (let index = 0; index < count + standIns.length; index++) {
    if (!Targets.has(stale, index)) continue
    const target = standIns[index - count]
    const hintFor = target === undefined ? undefined : nodes.targets[target]!.node
    found.push({ node: Targets.nodeAt(nodes, index), hintFor })
  }
  return found
}

const wait = { _tag: "Wait" } as const
const answer = { _tag: "Answer" } as const

const asked = ({ nodes, spared, standIns }: Known): number =>
  Targets.asked(nodes, standIns) & ~spared

const pending = (answers: Answers, asked: number): number =>
  asked & ~(answers.found | answers.absent | answers.damaged | answers.unreachable)

const votesOf = (nodes: Targets.Targets, answers: Answers): number =>
  answers.found | answers.absent & ~answers.unknowing & (nodes.primaries | nodes.previous)

const hear = (answers: Answers, event: ReadEvent, asked: number): Answers => {
  if (event._tag === "Late") return answers
  const open = pending(answers, asked)
  if (event._tag === "Deadline") return { ...answers, unreachable: answers.unreachable | open }
  const bit = Targets.only(event.index, asked)
  const fresh = bit & (open | answers.unreachable)
  const unreachable = answers.unreachable & ~fresh
  switch (event._tag) {
    case "Found": {
      const covered = answers.covered || bit !== 0 && event.covered
      if (fresh === 0) return covered === answers.covered ? answers : { ...answers, covered }
      const versions = answers.versions.concat({ index: event.index, version: event.version })
      const complete = answers.complete | (event.complete ? fresh : 0)
      return { ...answers, found: answers.found | fresh, unreachable, complete, covered, versions }
    }
    case "Absent": {
      if (fresh === 0) return answers
      const unknowing = answers.unknowing | (event.completeness === "incomplete" ? fresh : 0)
      const complete = answers.complete | (event.completeness === "complete" ? fresh : 0)
      return { ...answers, absent: answers.absent | fresh, unreachable, unknowing, complete }
    }
    case "Damaged":
      return fresh === 0 ? answers : { ...answers, damaged: answers.damaged | fresh, unreachable }
    case "Unreachable": {
      const lost = bit & open
      return lost === 0 ? answers : { ...answers, unreachable: answers.unreachable | lost }
    }
    case "Suspect": {
      const slow = bit & open & ~answers.suspects
      return slow === 0 ? answers : { ...answers, suspects: answers.suspects | slow }
    }
  }
}

/** That time has passed, and nothing was heard. */
type Moment = "Late" | "Deadline" | undefined

const decide = (read: ReadDecision, answers: Answers, moment: Moment): ReadDecision => {
  const { needs, nodes } = read
  const isOpen = read.outcome._tag === "Wait"
  const standInsBeside = (spared: number) =>
    isOpen
      ? Targets.substitute(nodes, read.standIns, failing(answers, spared))
      : read.standIns
  const first = standInsBeside(read.spared)
  const known: Known = { needs, nodes, answers, standIns: first, spared: read.spared }
  const isWanted = read.spared !== 0 && moment !== "Deadline"
    && (differ(answers) || isOpen && (moment === "Late" || isTooFew(known)))
  const spared = isWanted ? 0 : read.spared
  const standIns = isWanted ? standInsBeside(0) : first
  const outcome = isOpen
    ? judge(isWanted ? { ...known, spared, standIns } : known, moment === "Deadline")
    : read.outcome
  const kept = outcome._tag === "Wait" ? standIns : read.standIns
  const substitutes = Targets.substitutes(nodes, kept, read.standIns.length)
  return { outcome, substitutes, needs, nodes, answers, standIns: kept, spared }
}

/** The nodes in whose place fallbacks are asked; a suspect that is spared needs none. */
const failing = (
  { absent, damaged, found, suspects, unreachable }: Answers,
  spared: number
): number => unreachable | suspects & ~(found | absent | damaged | spared)

/** Whether some replica is behind, of those that answered. */
const differ = ({ absent, damaged, versions }: Answers): boolean => {
  if (damaged !== 0 || versions.length > 0 && absent !== 0) return true
  for (let i = 1; i < versions.length; i++) {
    if (versions[i]!.version !== versions[0]!.version) return true
  }
  return false
}

/** Whether the nodes that were asked cannot answer it, or have not enough to answer it with. */
const isTooFew = (read: Known): boolean => {
  const { answers, nodes } = read
  const votes = votesOf(nodes, answers)
  if (isMet(read, votes, answers.complete)) return !answers.covered
  const open = pending(answers, asked(read))
  return !isMet(read, votes | open, answers.complete | open)
}

/** Whether these votes are enough, of which `complete` are from complete nodes. */
const isMet = ({ needs, nodes }: Known, votes: number, complete: number): boolean =>
  Targets.size(votes) >= needs.r && Targets.primaryVotes(nodes, votes & complete) >= needs.pr

const judge = (read: Known, isLast: boolean): ReadDecision["outcome"] => {
  const { answers, nodes } = read
  const votes = votesOf(nodes, answers)
  const open = pending(answers, asked(read))
  const met = isMet(read, votes, answers.complete)
  if (met && answers.covered) return answer
  const mayBeMet = isMet(read, votes | open, answers.complete | open)
  if (!isLast && (met ? open !== 0 : mayBeMet)) return wait
  return {
    _tag: met ? "NotCovered" : "Fail",
    needed: read.needs,
    had: had(read),
    unreachable: Targets.nodesOf(nodes, answers.unreachable),
    damaged: Targets.nodesOf(nodes, answers.damaged),
    incomplete: Targets.nodesOf(nodes, (answers.found | answers.absent) & ~answers.complete)
  }
}
