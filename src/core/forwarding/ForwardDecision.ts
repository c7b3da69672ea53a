/**
 * Decides, event by event, which node is asked to carry out a request that this node cannot carry
 * out itself, and when the client is told.
 *
 * One node is asked at a time. A read goes to the next node as soon as one is late. A write stays
 * with the node that was asked, because a second node might apply it a second time; it moves only
 * when that node has certainly not carried it out. Whether a refusal is certain depends on how
 * often the write was sent, also by other requests for the same operation, so the caller says it
 * with the event (`isCertain`).
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 */
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"

export type ForwardEvent<A> =
  /** The request was sent to the node in question, and named this incarnation of it. */
  | { readonly _tag: "Sent"; readonly incarnation: string }
  /** The node in question has not answered in time. */
  | { readonly _tag: "Late" }
  /**
   * A node did nothing, because it runs under another incarnation than the one that was `asked`.
   * `heard` is the incarnation that this node knows of it by now.
   */
  | {
    readonly _tag: "OtherIncarnation"
    readonly from: NodeId
    readonly asked: string
    readonly heard: string
  }
  /** A node did nothing and cannot: another one may. */
  | {
    readonly _tag: "Refused"
    readonly from: NodeId
    readonly answer: A
    readonly isCertain: boolean
  }
  /** `isPassing`: the answer says that nothing changed, and another sending may have. */
  | {
    readonly _tag: "Answered"
    readonly answer: A
    readonly isPassing: boolean
    readonly isCertain: boolean
  }
  /** The request's time is up. */
  | { readonly _tag: "Deadline" }

export type ForwardOutcome<A> =
  | { readonly _tag: "Wait" }
  /** `noneApplied`: no node that was asked has carried it out. */
  | { readonly _tag: "Answer"; readonly answer: A; readonly noneApplied: boolean }
  /** No answer can be believed; a write may have applied at one of the nodes asked. */
  | { readonly _tag: "Fail" }

export interface ForwardDecision<A> {
  /** Changes at most once, from `Wait`; compare by identity. */
  readonly outcome: ForwardOutcome<A>
  readonly action: "read" | "write"
  /** The nodes that can carry it out, the best first. */
  readonly nodes: ReadonlyArray<NodeId>
  /** The node in question is `nodes[attempt % nodes.length]`. */
  readonly attempt: number
  /** The node to send to now, because of the last step; undefined if there is none. */
  readonly next: NodeId | undefined
  /** The incarnation that was named last; empty where none was known. */
  readonly incarnation: string
  readonly asked: ReadonlyArray<NodeId>
}

const wait = { _tag: "Wait" } as const
const fail = { _tag: "Fail" } as const

/** The node in question: the one whose answer counts. */
export const nodeOf = ({ attempt, nodes }: Pick<ForwardDecision<unknown>, "attempt" | "nodes">) =>
  nodes[attempt % nodes.length]!

/** The decision before anything is sent: the first node is the next. */
export const make = <A>(
  options: { readonly action: "read" | "write"; readonly nodes: ReadonlyArray<NodeId> }
): ForwardDecision<A> => {
  const { action, nodes } = options
  invariant(nodes.length > 0, "a document has a primary")
  const [next] = nodes
  return { outcome: wait, action, nodes, attempt: 0, next, incarnation: "", asked: [] }
}

/**
 * The decision after an event.
 *
 * **Guarantees** a write goes to a second node only after a certain refusal by the first; nothing
 * changes once the outcome is known; a refusal counts only from the node in question.
 */
export const step = <A>(
  decision: ForwardDecision<A>,
  event: ForwardEvent<A>
): ForwardDecision<A> => {
  const before = decision.next === undefined ? decision : { ...decision, next: undefined }
  if (before.outcome._tag !== "Wait") return before
  switch (event._tag) {
    case "Sent": {
      const node = nodeOf(before)
      const asked = before.asked.includes(node) ? before.asked : [...before.asked, node]
      return { ...before, incarnation: event.incarnation, asked }
    }
    case "Late":
      return sendAgain(before, before.action === "read" ? before.attempt + 1 : before.attempt)
    case "OtherIncarnation": {
      // It may come again, and late: only news about the incarnation that was asked last counts.
      const isNews = event.from === nodeOf(before) && event.asked === before.incarnation
        && event.heard !== before.incarnation
      return isNews ? sendAgain(before, before.attempt) : before
    }
    case "Refused":
      return event.from === nodeOf(before) ? refused(before, event) : before
    case "Answered": {
      if (!event.isCertain && event.isPassing) return { ...before, outcome: fail }
      const outcome = { _tag: "Answer", answer: event.answer, noneApplied: false } as const
      return { ...before, outcome }
    }
    case "Deadline":
      return { ...before, outcome: fail }
  }
}

/** The nodes that owe an answer: the one in question, until the outcome is known. */
export const awaited = <A>(decision: ForwardDecision<A>): ReadonlyArray<NodeId> =>
  decision.outcome._tag === "Wait" ? [nodeOf(decision)] : []

/** Whether nothing more is expected. */
export const isFinished = <A>(decision: ForwardDecision<A>): boolean =>
  decision.outcome._tag !== "Wait"

const sendAgain = <A>(decision: ForwardDecision<A>, attempt: number): ForwardDecision<A> => {
  const moved = { ...decision, attempt }
  return { ...moved, next: nodeOf(moved) }
}

const refused = <A>(
  decision: ForwardDecision<A>,
  { answer, isCertain }: { readonly answer: A; readonly isCertain: boolean }
): ForwardDecision<A> => {
  if (!isCertain) return { ...decision, outcome: fail }
  const attempt = decision.attempt + 1
  if (attempt < decision.nodes.length) return sendAgain(decision, attempt)
  return { ...decision, outcome: { _tag: "Answer", answer, noneApplied: true } }
}
