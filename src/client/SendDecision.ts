/**
 * Decides, event by event, to which node a client sends a request, when it asks another one, and
 * which error is certain.
 *
 * Each message is an *attempt*: a node, and the mark of that node which the message names. The
 * same message may be sent several times: a node that carried it out answers it again, and one
 * whose mark is no longer valid refuses it. An attempt is *open* while a node may have carried it
 * out. A later attempt names the nodes of the open ones (`tried`), so that the node which gets it
 * asks them first; it is carried out only if they all say that they have not done so and will not.
 *
 * A node that was left may only be slow: as long as an attempt is *awaited*, no refusal of another
 * node ends the request before its time is up.
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 *
 * @see core/operations, for the side of the nodes
 */
import type { TriedBody } from "../../schemas/ClientRequest.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as Attempt from "./Attempt.ts"
import type { SendEvent } from "./SendEvent.ts"

export type { Naming } from "./Attempt.ts"
export type { SendEvent }

/** Where no other node is known: repeat the current message, ask any node, or give up. */
export type OrElse = "again" | "any" | "end"

export type Next =
  | { readonly _tag: "Wait" }
  /** Send the current message again. */
  | { readonly _tag: "Again" }
  /** Make a new message for this node, with its newest mark. */
  | { readonly _tag: "Ask"; readonly node: NodeId }
  /** Make a new message for a node that is not in `avoid`, or do what `orElse` says. */
  | { readonly _tag: "AskAnother"; readonly orElse: OrElse }
  /** Wait for a while before another node is asked. */
  | { readonly _tag: "Pause" }
  /** The node's error is the outcome. */
  | { readonly _tag: "Pass" }
  /** No error of a node says enough. */
  | { readonly _tag: "Fail"; readonly mayHaveApplied: boolean }

export interface SendDecision {
  readonly naming: Attempt.Naming
  /** Refusals of others than the current one change only what is certain. */
  readonly attempts: ReadonlyArray<Attempt.Attempt>
  /** Nodes that refused, or did not answer. */
  readonly avoid: ReadonlySet<NodeId>
  /** To be done now, because of the last step. */
  readonly next: Next
}

export interface SendLimits {
  /** How often a message goes to one node that does not answer before another is asked. */
  readonly sendingsPerNode: number
  /** Messages made for one request. */
  readonly attemptsMax: number
  /** Messages that a node answers with a new mark before another node is asked. */
  readonly staleMarksPerNode: number
}

const none: ReadonlySet<NodeId> = new Set()
const wait: Next = { _tag: "Wait" }
const again: Next = { _tag: "Again" }
const pass: Next = { _tag: "Pass" }
const pause: Next = { _tag: "Pause" }
const anotherOr = {
  again: { _tag: "AskAnother", orElse: "again" },
  any: { _tag: "AskAnother", orElse: "any" },
  end: { _tag: "AskAnother", orElse: "end" }
} as const

/** The decision with its first message. */
export const make = (
  naming: Attempt.Naming,
  first: { readonly node: NodeId | undefined; readonly mark: string | undefined }
): SendDecision => ({ naming, attempts: [Attempt.make(naming, first)], avoid: none, next: wait })

/**
 * The decision after an event.
 *
 * **Guarantees** that a refusal is passed on, or `mayHaveApplied` false, only where no attempt is
 * open; that a request for which a node owes an answer ends before its deadline only by an answer,
 * or by an error that no other node would lack, where no attempt is open; that there are at most
 * `attemptsMax` attempts, of which a node answers at most `staleMarksPerNode` with a new mark and
 * is asked again.
 *
 * **Requires** that each sending is taken back once; answers come late, twice, to any attempt.
 */
export const step = (
  decision: SendDecision,
  event: SendEvent,
  limits: SendLimits
): SendDecision => bounded(stepped(decision, event, limits), limits)

const stepped = (
  decision: SendDecision,
  event: SendEvent,
  limits: SendLimits
): SendDecision => {
  const { attempts, naming } = decision
  switch (event._tag) {
    case "Sent":
      return { ...decision, attempts: [...attempts, Attempt.make(naming, event)], next: wait }
    case "Late":
      return late(decision, limits)
    case "NoOther":
      return decision.next === anotherOr.again ? repeat(decision) : end(decision)
    case "Undelivered":
      return unreached(decision, event.attempt, false)
    case "Gone":
      return unreached(decision, event.attempt, true)
    case "Denied":
      // Other nodes' subjects are denied as well, mostly: none is tried.
      return end(unsent(decision, event.attempt, {}))
    case "Unsendable":
      return end(unsent(decision, currentOf(decision), {}))
    case "StaleMark":
      return stale(decision, event, limits)
    case "Refused":
      return refused(decision, event)
    case "Shed":
      return shed(decision, event.attempt)
    case "Resume":
      return resumed(decision)
    case "NoPause":
      return end(decision)
    case "InDoubt":
      return inDoubt(decision, event.attempt)
    case "Deadline":
      return fail(decision)
  }
}

/** The attempt that is sent again: the last one that is awaited, or else the last. */
export const currentOf = ({ attempts }: Pick<SendDecision, "attempts">): number => {
  const awaited = attempts.findLastIndex(({ isAwaited }) => isAwaited)
  return awaited === -1 ? attempts.length - 1 : awaited
}

/** Whether some node may have carried it out. */
export const mayHaveApplied = ({ attempts }: SendDecision): boolean =>
  attempts.some(({ isOpen }) => isOpen)

/** The nodes that the next message names, each with the first mark that an open attempt named. */
export const triedOf = ({ attempts, naming }: SendDecision): ReadonlyArray<TriedBody> => {
  if (naming !== "marked") return []
  const tried = new Map<NodeId, TriedBody>()
  for (const { isOpen, isUnreachable, mark, node } of attempts) {
    if (!isOpen || node === undefined || mark === undefined) continue
    const first = tried.get(node)?.mark ?? mark
    tried.set(node, { node, mark: first, ...(isUnreachable ? { unreachable: true } : {}) })
  }
  return [...tried.values()]
}

const late = (decision: SendDecision, { sendingsPerNode }: SendLimits): SendDecision => {
  const { attempts, naming } = decision
  const { mark, node, sendings } = attempts[currentOf(decision)]!
  // A node that is asked for its mark alone does nothing: another one may be asked at once.
  const doesNothing = naming === "read" || (mark === "" && node !== undefined)
  if (doesNothing) return leave(decision, node)
  // Of any node's message the next sending goes to another one by itself.
  if (node === undefined || sendings < sendingsPerNode) return repeat(decision)
  return { ...decision, avoid: withNode(decision.avoid, node), next: anotherOr.again }
}

const repeat = (decision: SendDecision): SendDecision => {
  const current = currentOf(decision)
  const { sendings } = decision.attempts[current]!
  return { ...change(decision, current, { sendings: sendings + 1 }), next: again }
}

/** Turns to another node. */
const leave = (
  decision: SendDecision,
  node: NodeId | undefined,
  orElse: OrElse = "any"
): SendDecision => ({
  ...decision,
  avoid: withNode(decision.avoid, node),
  next: anotherOr[orElse]
})

/** Nobody listens where an attempt went: what it was sent is not answered any more. */
const unreached = (
  decision: SendDecision,
  number: number,
  hasReached: boolean
): SendDecision => {
  const attempt = decision.attempts[number]
  if (attempt === undefined) return { ...decision, next: wait }
  const { node } = attempt
  const fields = { isUnreachable: true, isAwaited: false }
  const told = hasReached ? change(decision, number, fields) : unsent(decision, number, fields)
  if (number !== currentOf(decision)) {
    return { ...told, avoid: withNode(told.avoid, node), next: wait }
  }
  if (node !== undefined) return leave(told, node)
  return isAwaited(told) ? { ...told, next: wait } : fail(told)
}

/** The last sending of an attempt came to nothing. */
const unsent = (
  decision: SendDecision,
  number: number,
  fields: Partial<Attempt.Attempt>
): SendDecision => {
  const { isAwaited, isOpen, sendings: all } = decision.attempts[number]!
  const sendings = Math.max(all - 1, 0)
  const isSent = sendings > 0
  return change(decision, number, {
    sendings,
    isOpen: isOpen && isSent,
    isAwaited: isAwaited && isSent,
    ...fields
  })
}

const stale = (
  decision: SendDecision,
  { attempt: number, node }: { readonly attempt: number; readonly node: NodeId },
  { staleMarksPerNode }: SendLimits
): SendDecision => {
  const attempt = decision.attempts[number]
  if (attempt === undefined) return { ...decision, next: wait }
  // Of several sendings an earlier one may have been carried out, and forgotten by now.
  const told = change(decision, number, {
    isOpen: attempt.isOpen && attempt.sendings > 1,
    isAwaited: false,
    staleAt: node
  })
  if (number !== currentOf(decision)) return { ...told, next: wait }
  const staleMarks = told.attempts.filter(({ staleAt }) => staleAt === node).length
  if (staleMarks < staleMarksPerNode) return { ...told, next: { _tag: "Ask", node } }
  // Its marks move on faster than messages reach it. Asked at once, it would have no rest.
  return leave(told, node, hasAskedAny(told) ? "end" : "any")
}

const refused = (
  decision: SendDecision,
  event: Extract<SendEvent, { readonly _tag: "Refused" }>
): SendDecision => {
  const { attempt: number, canMove } = event
  const { attempts, naming } = decision
  const attempt = attempts[number]
  if (attempt === undefined) return { ...decision, next: wait }
  // With a mark, a refusal holds for all sendings of the message: the node notes it.
  const isOpen = attempt.isOpen && naming === "named" && attempt.sendings > 1
  const told = change(decision, number, { isOpen, isAwaited: false })
  const node = attempt.node ?? event.node
  const avoid = canMove ? withNode(told.avoid, node) : told.avoid
  // No other node would carry it out, and none has: those that owe a mark are not waited for.
  if (!canMove && !mayHaveApplied(told)) return { ...told, next: pass }
  if (number !== currentOf(decision) && naming !== "read") return { ...told, avoid, next: wait }
  if (!canMove) return end(told)
  return leave(told, node, hasAskedAny(told) ? "end" : "any")
}

const resumed = (decision: SendDecision): SendDecision =>
  decision.next === pause
    ? leave(decision, decision.attempts[currentOf(decision)]!.node)
    : { ...decision, next: wait }

/** Unlike a refusal, it says nothing of earlier sendings: the node has not read this one. */
const shed = (decision: SendDecision, number: number): SendDecision => {
  if (decision.attempts[number] === undefined) return { ...decision, next: wait }
  const told = unsent(decision, number, {})
  return { ...told, next: isAwaited(told) ? wait : pause }
}

/** Whether the broker chose before: then it led to a node that cannot. */
const hasAskedAny = ({ attempts }: SendDecision): boolean =>
  attempts.some(({ node }) => node === undefined)

const inDoubt = (decision: SendDecision, number: number): SendDecision => {
  const node = decision.attempts[number]?.node
  const told = change(decision, number, { isAwaited: false })
  if (!isAwaited(told)) return { ...told, next: pass }
  return { ...told, avoid: withNode(told.avoid, node), next: wait }
}

const isAwaited = ({ attempts }: SendDecision): boolean =>
  attempts.some(({ isAwaited }) => isAwaited)

/** Passes the last refusal on, where it is certain and nobody owes an answer. */
const end = (decision: SendDecision): SendDecision =>
  isAwaited(decision) ? { ...decision, next: wait } : settled(decision)

const settled = (decision: SendDecision): SendDecision =>
  mayHaveApplied(decision) ? fail(decision) : { ...decision, next: pass }

const fail = (decision: SendDecision): SendDecision => ({
  ...decision,
  next: { _tag: "Fail", mayHaveApplied: mayHaveApplied(decision) }
})

const change = (
  decision: SendDecision,
  number: number,
  fields: Partial<Attempt.Attempt>
): SendDecision => ({
  ...decision,
  attempts: decision.attempts.map((attempt, i) =>
    i === number ? { ...attempt, ...fields } : attempt
  )
})

const withNode = (
  avoid: ReadonlySet<NodeId>,
  node: NodeId | undefined
): ReadonlySet<NodeId> => node === undefined || avoid.has(node) ? avoid : new Set(avoid).add(node)

/** A request that has made all the messages it may waits for those that were sent, or ends. */
const bounded = (decision: SendDecision, { attemptsMax }: SendLimits): SendDecision => {
  const { attempts, next } = decision
  const isAsking = next._tag === "Ask" || next._tag === "AskAnother"
  if (!isAsking || attempts.length < attemptsMax) return decision
  if (!isAwaited(decision)) return fail(decision)
  return next === anotherOr.again ? repeat(decision) : { ...decision, next: wait }
}
