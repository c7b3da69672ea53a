/**
 * Decides when a question that is put to every one of some nodes is answered: when all of them have
 * answered or refused, or time is up. No quorum counts; the caller shows which answers are missing.
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 */
import type { NodeId } from "../model/Names.ts"

export type CollectEvent<A> =
  | { readonly _tag: "Answered"; readonly node: NodeId; readonly answer: A }
  | { readonly _tag: "Refused"; readonly node: NodeId; readonly reason: string }
  /** The request's time is up: all nodes that have not answered are unreachable. */
  | { readonly _tag: "Deadline" }

export interface CollectDecision<A> {
  /** Changes at most once, from `Wait`; compare by identity. */
  readonly outcome: { readonly _tag: "Wait" } | { readonly _tag: "Answer" }
  readonly nodes: ReadonlyArray<NodeId>
  /** The last answer of each node. */
  readonly answers: ReadonlyMap<NodeId, A>
  readonly refusals: ReadonlyMap<NodeId, string>
}

const wait = { _tag: "Wait" } as const
const answer = { _tag: "Answer" } as const

/** The decision before anything is sent. */
export const make = <A>(nodes: ReadonlyArray<NodeId>): CollectDecision<A> => ({
  outcome: nodes.length === 0 ? answer : wait,
  nodes,
  answers: new Map(),
  refusals: new Map()
})

/** The decision after an event; nodes that were not asked, and late answers, change nothing. */
export const step = <A>(
  decision: CollectDecision<A>,
  event: CollectEvent<A>
): CollectDecision<A> => {
  if (decision.outcome._tag !== "Wait") return decision
  if (event._tag === "Deadline") return { ...decision, outcome: answer }
  const { node } = event
  if (!decision.nodes.includes(node)) return decision
  const answers = new Map(decision.answers)
  const refusals = new Map(decision.refusals)
  answers.delete(node)
  refusals.delete(node)
  if (event._tag === "Answered") answers.set(node, event.answer)
  else refusals.set(node, event.reason)
  const isLast = answers.size + refusals.size === decision.nodes.length
  return { ...decision, outcome: isLast ? answer : wait, answers, refusals }
}

/** The nodes that owe an answer, or owed one when time was up. */
export const awaited = <A>({ answers, nodes, refusals }: CollectDecision<A>) =>
  nodes.filter((node) => !answers.has(node) && !refusals.has(node))

/** Whether nothing more is expected. */
export const isFinished = <A>({ outcome }: CollectDecision<A>): boolean => outcome._tag !== "Wait"
