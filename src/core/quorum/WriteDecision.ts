/**
 * Decides, answer by answer, whether a write is acknowledged, and which fallbacks must keep a hint.
 *
 * A replica's answers are joined, strongest last: no answer, refused, stored, stored on disk. So
 * repeated and reordered answers change nothing, and one that comes after its time still counts. A
 * target that is unreachable or refuses is replaced by the next fallback, and so is a fallback that
 * fails it, until fallbacks run out: a full disk is no better than an absent one.
 *
 * An acknowledgement says whether its node is complete; for `pw` only those of complete primaries
 * count, and where the write needs disks, only once they are on disk: a strict read that asks other
 * primaries relies on them.
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, sections 4.5 and 4.6
 * @see basho/riak_kv:src/riak_kv_put_core.erl
 */
import type { NodeId } from "../model/Names.ts"
import type { WriteNeeds } from "./Quorum.ts"
import * as Targets from "./Targets.ts"

/** Nodes are named by their index (see `Targets`); answers of nodes not asked are ignored. */
export type WriteEvent =
  /** It is stored: `durable` on disk, or in memory, and a durable acknowledgement may follow. */
  | {
    readonly _tag: "Acknowledged"
    readonly index: number
    readonly durable: boolean
    /** Whether the node says that it is complete. */
    readonly complete: boolean
  }
  | { readonly _tag: "Refused"; readonly index: number; readonly reason: string }
  /** It could not be reached, or its time is up; means nothing after an answer. */
  | { readonly _tag: "Unreachable"; readonly index: number }
  /** It may be down, or is slow: a fallback stands in, and its own answer is still waited for. */
  | { readonly _tag: "Suspect"; readonly index: number }
  /** The request's time is up: all nodes that have not answered are unreachable. */
  | { readonly _tag: "Deadline" }

/** Counts of acknowledgements; {@link WriteNeeds} says what each means. */
export type WriteCounts = Pick<WriteNeeds, "w" | "pw" | "dw">

export interface WriteFailed {
  readonly _tag: "Fail"
  readonly needed: WriteCounts
  readonly had: WriteCounts
  readonly unreachable: ReadonlyArray<NodeId>
  readonly refused: ReadonlyArray<{ readonly node: NodeId; readonly reason: string }>
  /** Stored it, and do not say that they are complete. */
  readonly incomplete: ReadonlyArray<NodeId>
  /** False only if every node that was asked refused: then no replica has it or will get it. */
  readonly mayHaveApplied: boolean
}

export interface WriteDecision {
  /** The outcome for the client. Changes at most once, from `Wait`; compare by identity. */
  readonly outcome: { readonly _tag: "Wait" } | { readonly _tag: "Answer" } | WriteFailed
  /** Fallbacks to send document and hint to, after this step; they come after the outcome too. */
  readonly substitutes: ReadonlyArray<Targets.Substitute>
  readonly needs: WriteCounts
  readonly nodes: Targets.Targets
  readonly answers: Answers
  readonly standIns: Targets.StandIns
}

/** All but what follows from it. */
type Known = Omit<WriteDecision, "outcome" | "substitutes">

/**
 * Invariant: `acknowledged`, `refused`, `unreachable` are disjoint; `durable` and `complete` are in
 * the first.
 */
interface Answers {
  readonly acknowledged: number
  readonly durable: number
  readonly complete: number
  readonly refused: number
  readonly unreachable: number
  /** Nodes that may not answer; they are in no other set, or in any. */
  readonly suspects: number
  readonly reasons: ReadonlyArray<{ readonly index: number; readonly reason: string }>
}

/**
 * The decision before anything is sent. It fails at once, and nothing is to be sent, if even the
 * acknowledgements of all nodes that are up would not meet the needs. `suspects` may be down: they
 * are asked, and so is a fallback for each.
 */
export const make = (
  needs: WriteCounts,
  nodes: Targets.Nodes,
  suspects = 0
): WriteDecision => {
  const targets = Targets.make(nodes)
  const answers: Answers = {
    acknowledged: 0,
    durable: 0,
    complete: 0,
    refused: 0,
    unreachable: targets.down,
    suspects,
    reasons: Targets.none
  }
  const before = {
    outcome: wait,
    substitutes: Targets.none,
    needs,
    nodes: targets,
    answers,
    standIns: Targets.none
  }
  return decide(before, answers, { sent: 0, isLast: false })
}

/**
 * The decision after an event.
 *
 * **Guarantees** `Answer` as soon as the needs are met; `Fail` as soon as durable acknowledgements
 * of all nodes that stored it or have not answered would not meet them; never both. Each fallback
 * is named once, in order; after a `Fail` only where the write may have applied.
 */
export const step = (write: WriteDecision, event: WriteEvent): WriteDecision => {
  const sent = Targets.asked(write.nodes, write.standIns)
  const isLast = event._tag === "Deadline"
  const answers = hear(write.answers, event, sent)
  if (answers === write.answers && !isLast) {
    return write.substitutes.length === 0 ? write : { ...write, substitutes: Targets.none }
  }
  return decide(write, answers, { sent, isLast })
}

/** The acknowledgements so far. */
export const had = ({ answers, needs, nodes }: Known): WriteCounts => ({
  w: Targets.size(answers.acknowledged),
  pw: Targets.primaryVotes(nodes, votesOf(needs, answers)),
  dw: Targets.size(answers.durable)
})

/** The nodes that were asked and have neither answered nor been given up. */
export const awaited = ({ answers, nodes, standIns }: WriteDecision): ReadonlyArray<NodeId> =>
  Targets.nodesOf(nodes, pending(answers, Targets.asked(nodes, standIns)))

/** Whether the outcome is known, and every node that was asked has answered or is given up. */
export const isFinished = ({ answers, nodes, outcome, standIns }: WriteDecision): boolean =>
  outcome._tag !== "Wait" && pending(answers, Targets.asked(nodes, standIns)) === 0

const wait = { _tag: "Wait" } as const
const answer = { _tag: "Answer" } as const

const pending = (answers: Answers, asked: number): number =>
  asked & ~(answers.acknowledged | answers.refused | answers.unreachable)

const hear = (answers: Answers, event: WriteEvent, asked: number): Answers => {
  if (event._tag === "Deadline") {
    return { ...answers, unreachable: answers.unreachable | pending(answers, asked) }
  }
  const bit = Targets.only(event.index, asked)
  const { acknowledged, complete, durable, reasons, refused, suspects, unreachable } = answers
  switch (event._tag) {
    case "Acknowledged": {
      const whole = event.complete ? bit : 0
      const isKnown = (bit & ~(event.durable ? durable : acknowledged)) === 0
      if (isKnown && (whole & ~complete) === 0) return answers
      return {
        acknowledged: acknowledged | bit,
        durable: event.durable ? durable | bit : durable,
        complete: complete | whole,
        refused: refused & ~bit,
        unreachable: unreachable & ~bit,
        suspects,
        reasons
      }
    }
    case "Refused": {
      if ((bit & ~(acknowledged | refused)) === 0) return answers
      return {
        acknowledged,
        durable,
        complete,
        refused: refused | bit,
        unreachable: unreachable & ~bit,
        suspects,
        reasons: [...reasons, { index: event.index, reason: event.reason }]
      }
    }
    case "Unreachable": {
      const lost = bit & pending(answers, asked)
      return lost === 0 ? answers : { ...answers, unreachable: unreachable | lost }
    }
    case "Suspect": {
      const slow = bit & pending(answers, asked) & ~suspects
      return slow === 0 ? answers : { ...answers, suspects: suspects | slow }
    }
  }
}

type Acknowledgements = Pick<Answers, "acknowledged" | "durable" | "complete">

/** The nodes whose acknowledgements count for `pw` where they are primaries. */
const votesOf = ({ dw }: WriteCounts, { complete, durable }: Acknowledgements): number =>
  dw === 0 ? complete : complete & durable

/** Whether these are enough. */
const isMet = ({ needs, nodes }: Known, acknowledgements: Acknowledgements): boolean =>
  Targets.size(acknowledgements.acknowledged) >= needs.w
  && Targets.primaryVotes(nodes, votesOf(needs, acknowledgements)) >= needs.pw
  && Targets.size(acknowledgements.durable) >= needs.dw

const decide = (
  write: WriteDecision,
  answers: Answers,
  { isLast, sent }: { readonly sent: number; readonly isLast: boolean }
): WriteDecision => {
  const { needs, nodes } = write
  const standIns = Targets.substitute(
    nodes,
    write.standIns,
    answers.refused | answers.unreachable | answers.suspects & ~answers.acknowledged
  )
  const outcome = write.outcome._tag === "Wait"
    ? judge({ needs, nodes, answers, standIns }, { sent, isLast })
    : write.outcome
  const isDead = outcome._tag === "Fail" && !outcome.mayHaveApplied
  const kept = isDead ? write.standIns : standIns
  const substitutes = Targets.substitutes(nodes, kept, write.standIns.length)
  return { outcome, substitutes, needs, nodes, answers, standIns: kept }
}

const judge = (
  write: Known,
  { isLast, sent }: { readonly sent: number; readonly isLast: boolean }
): WriteDecision["outcome"] => {
  const { answers, nodes } = write
  if (isMet(write, answers)) return answer
  const open = pending(answers, Targets.asked(nodes, write.standIns))
  const best = answers.acknowledged | open
  // A node that has it in memory acknowledges once more, and may be complete by then.
  const complete = answers.complete | best & ~answers.durable
  if (!isLast && isMet(write, { acknowledged: best, durable: best, complete })) return wait
  return {
    _tag: "Fail",
    needed: write.needs,
    had: had(write),
    unreachable: Targets.nodesOf(nodes, answers.unreachable),
    refused: answers.reasons
      .filter(({ index }) => Targets.has(answers.refused, index))
      .map(({ index, reason }) => ({ node: Targets.nodeAt(nodes, index), reason })),
    incomplete: Targets.nodesOf(nodes, answers.acknowledged & ~answers.complete),
    mayHaveApplied: (sent & ~answers.refused) !== 0
  }
}
