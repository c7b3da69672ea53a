/**
 * Decides, event by event, which node is asked to carry out a request that this node cannot carry
 * out itself, and when the client is told.
 *
 * One node is asked at a time. A read goes to the next node as soon as one is late. A write stays
 * with the node that was asked until that one refuses, or is believed down; whichever node is asked
 * next is told which were asked before and have not refused, and finds out from them. A node that
 * refuses carries out no sending of before, since each sending names a mark of that node.
 *
 * A node whose mark has moved on is asked under its new one, once at once, and then after a pause.
 *
 * A node that was left may only be slow, or come back: the refusals of all the others do not end a
 * request that it may still answer before its time is up.
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 */
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"
import type { Target } from "../operations/Proof.ts"

export type ForwardEvent<A> =
  /**
   * The request was sent to the node in question under this mark: empty where none is known, which
   * asks for one; undefined where the client named none, so that no mark proves anything.
   */
  | { readonly _tag: "Sent"; readonly sending: number; readonly mark: string | undefined }
  /** The node in question has not answered in time. */
  | { readonly _tag: "Late" }
  /** The node in question is believed down. */
  | { readonly _tag: "Down" }
  /** A node did nothing with a sending, because its mark proves nothing any more. */
  | { readonly _tag: "Stale"; readonly from: NodeId; readonly sending: number }
  /** A node did nothing and cannot: another one may. */
  | {
    readonly _tag: "Refused"
    readonly from: NodeId
    readonly sending: number
    readonly answer: A
  }
  /** `isPassing`: the answer says that nothing changed, and another sending may have. */
  | {
    readonly _tag: "Answered"
    readonly from: NodeId
    readonly sending: number
    readonly answer: A
    readonly isPassing: boolean
  }
  /** The request's time is up, or another node has taken the operation over. */
  | { readonly _tag: "Deadline" }

export type ForwardOutcome<A> =
  | { readonly _tag: "Wait" }
  /** `noneApplied`: no node that was asked has carried it out, or will. */
  | { readonly _tag: "Answer"; readonly answer: A; readonly noneApplied: boolean }
  /** No answer can be believed; a write may have applied at one of the nodes tried. */
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
  /** Nodes that were asked for a write and have not refused it, also by earlier requests. */
  readonly tried: ReadonlyArray<Target>
  /** The last sending; -1 before the first. */
  readonly sending: number
  /** The first sending to the node in question since it is; -1 before that. */
  readonly since: number
  /** Sendings to the node in question that it may carry out. */
  readonly sendings: number
  /** Whether the node in question has answered with a new mark since it is. */
  readonly hasNewMark: boolean
  /** Nodes that were asked by this request. */
  readonly asked: ReadonlyArray<NodeId>
  /** Nodes that refused it, which are asked no more. */
  readonly refusers: ReadonlyArray<NodeId>
}

const wait = { _tag: "Wait" } as const
const fail = { _tag: "Fail" } as const

/** The node in question: the one whose answer counts. */
export const nodeOf = ({ attempt, nodes }: Pick<ForwardDecision<unknown>, "attempt" | "nodes">) =>
  nodes[attempt % nodes.length]!

/** The decision before anything is sent: the first node is the next. */
export const make = <A>(
  options: {
    readonly action: "read" | "write"
    readonly nodes: ReadonlyArray<NodeId>
    /** Nodes that earlier requests for the same operation have asked. */
    readonly tried: ReadonlyArray<Target>
  }
): ForwardDecision<A> => {
  const { action, nodes, tried } = options
  invariant(nodes.length > 0, "a document has a primary")
  return {
    outcome: wait,
    action,
    nodes,
    attempt: 0,
    next: nodes[0],
    tried,
    sending: -1,
    since: -1,
    sendings: tried.filter(({ node }) => node === nodes[0]).length,
    hasNewMark: false,
    asked: [],
    refusers: []
  }
}

/**
 * The decision after an event.
 *
 * **Guarantees** a node that is asked second is told of the first, unless that one has refused;
 * nothing changes once the outcome is known; of a write, a refusal counts only from the node in
 * question, and ends it only where no other node may have carried it out.
 */
export const step = <A>(
  decision: ForwardDecision<A>,
  event: ForwardEvent<A>
): ForwardDecision<A> => {
  const before = decision.next === undefined ? decision : { ...decision, next: undefined }
  if (before.outcome._tag !== "Wait") return before
  switch (event._tag) {
    case "Sent":
      return sent(before, event)
    case "Late":
      return before.action === "read" ? goOn(before) : sendAgain(before, before.attempt)
    case "Down":
      return goOn(before)
    case "Stale": {
      // Of two sendings the first may come last, and the second have been carried out.
      const isSure = event.from === nodeOf(before) && event.sending === before.sending
        && before.sendings <= 1
      if (!isSure) return before
      const left = { ...without(before), hasNewMark: true }
      // Marks that move on faster than messages arrive would have it asked without a pause.
      return before.hasNewMark ? left : sendAgain(left, before.attempt)
    }
    case "Refused":
      if (before.action === "read") return readRefused(before, event)
      return isPresent(before, event) ? refused(before, event.answer) : before
    case "Answered":
      return answered(before, event)
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

const sent = <A>(
  decision: ForwardDecision<A>,
  { mark, sending }: { readonly sending: number; readonly mark: string | undefined }
): ForwardDecision<A> => {
  const node = nodeOf(decision)
  const asked = decision.asked.includes(node) ? decision.asked : [...decision.asked, node]
  const since = decision.since === -1 ? sending : decision.since
  // Nothing is carried out under an empty mark.
  if (decision.action === "read" || mark === "") return { ...decision, sending, since, asked }
  const isNoted = decision.tried.some((target) => target.node === node && target.mark === mark)
  const tried = isNoted ? decision.tried : [...decision.tried, { node, mark }]
  return { ...decision, sending, since, asked, tried, sendings: decision.sendings + 1 }
}

/** Asks a node of the list, which is the next in question. */
const sendAgain = <A>(decision: ForwardDecision<A>, attempt: number): ForwardDecision<A> => {
  const moved = { ...decision, attempt }
  const next = nodeOf(moved)
  if (next === nodeOf(decision)) return { ...moved, next }
  const sendings = decision.tried.filter(({ node }) => node === next).length
  return { ...moved, next, since: -1, sendings, hasNewMark: false }
}

/** The attempt at the next node that has not refused; undefined where all have. */
const nextOf = <A>({ attempt, nodes, refusers }: ForwardDecision<A>): number | undefined =>
  nodes.map((_, i) => attempt + 1 + i)
    .find((next) => !refusers.includes(nodeOf({ nodes, attempt: next })))

/** Goes on from the node in question. **Requires** that not all have refused. */
const goOn = <A>(decision: ForwardDecision<A>): ForwardDecision<A> => {
  const attempt = nextOf(decision)
  invariant(attempt !== undefined, "a request that all refuse has ended")
  return sendAgain(decision, attempt)
}

const withRefuser = <A>(decision: ForwardDecision<A>, node: NodeId): ForwardDecision<A> =>
  decision.refusers.includes(node)
    ? decision
    : { ...decision, refusers: [...decision.refusers, node] }

const readRefused = <A>(
  decision: ForwardDecision<A>,
  { answer, from }: { readonly from: NodeId; readonly answer: A }
): ForwardDecision<A> => {
  const told = withRefuser(decision, from)
  if (nextOf(told) === undefined) return ended(told, answer)
  return from === nodeOf(told) ? goOn(told) : told
}

/** The node in question has done nothing and will not. */
const without = <A>(decision: ForwardDecision<A>): ForwardDecision<A> => ({
  ...decision,
  tried: decision.tried.filter(({ node }) => node !== nodeOf(decision)),
  since: -1,
  sendings: 0
})

/**
 * Whether a word is about a sending since the node in question is: an earlier one may have had an
 * older mark.
 */
const isPresent = <A>(
  decision: ForwardDecision<A>,
  { from, sending }: { readonly from: NodeId; readonly sending: number }
): boolean => from === nodeOf(decision) && sending >= decision.since

/** Whether the word of the node in question that it did nothing holds for every sending to it. */
const isSure = <A>(decision: ForwardDecision<A>): boolean =>
  decision.sendings <= 1
  || decision.tried.every(({ mark, node }) => node !== nodeOf(decision) || mark !== undefined)

const refused = <A>(decision: ForwardDecision<A>, answer: A): ForwardDecision<A> => {
  if (!isSure(decision)) return { ...decision, outcome: fail }
  const left = without(withRefuser(decision, nodeOf(decision)))
  return nextOf(left) === undefined ? ended(left, answer) : goOn(left)
}

const answered = <A>(
  decision: ForwardDecision<A>,
  event: Extract<ForwardEvent<A>, { readonly _tag: "Answered" }>
): ForwardDecision<A> => {
  const { answer, isPassing } = event
  if (!isPassing || decision.action === "read") {
    return { ...decision, outcome: { _tag: "Answer", answer, noneApplied: false } }
  }
  if (!isPresent(decision, event)) return decision
  if (!isSure(decision)) return { ...decision, outcome: fail }
  const left = without(withRefuser(decision, nodeOf(decision)))
  const mayKnow = decision.nodes.some((node) => left.tried.some((target) => target.node === node))
  return mayKnow && nextOf(left) !== undefined ? goOn(left) : ended(left, answer)
}

/** Ends with an answer that says that nothing was done, if nobody else may have done it. */
const ended = <A>(decision: ForwardDecision<A>, answer: A): ForwardDecision<A> => ({
  ...decision,
  outcome: decision.tried.length === 0 || decision.action === "read"
    ? { _tag: "Answer", answer, noneApplied: true }
    : fail
})
