/**
 * Models the nodes that a forwarded write reaches, so that every order of deliveries, losses,
 * repeats, late answers and restarts can be tried: which node has carried the write out is known
 * here, and the decision must never have it carried out twice, nor deny that it was.
 */
import * as ForwardDecision from "../../../src/core/forwarding/ForwardDecision.ts"
import { NodeId } from "../../../src/core/model/Names.ts"

type Implementation = Pick<typeof ForwardDecision, "make" | "nodeOf" | "step">

/** The answer of a node: that it carried the write out, or that it did nothing and cannot. */
type Answer = "done" | "refused"

type Event = ForwardDecision.ForwardEvent<Answer>

interface Sending {
  readonly node: number
  readonly incarnation: string
}

type Reply =
  | { readonly _tag: "Answer"; readonly from: number; readonly answer: Answer }
  | { readonly _tag: "Other"; readonly from: number; readonly asked: string }

interface Situation {
  readonly decision: ForwardDecision.ForwardDecision<Answer>
  /** By node: its incarnation, and the one that the forwarding node has heard of. */
  readonly actual: ReadonlyArray<string>
  readonly heard: ReadonlyArray<string>
  /** By node: what its present incarnation said to the write, if it came. */
  readonly said: ReadonlyArray<Answer | undefined>
  readonly applied: ReadonlyArray<boolean>
  readonly requests: ReadonlyArray<Sending>
  readonly replies: ReadonlyArray<Reply>
  /** Sendings to the node that was asked last: those that named an incarnation. */
  readonly sentTo: { readonly node: number; readonly count: number }
  readonly sendings: number
  readonly restarts: number
  readonly repeats: number
}

export interface Bounds {
  readonly nodes: number
  /** Whether incarnations are known at the start. */
  readonly met: boolean
  readonly sendingsMax: number
  readonly restartsMax: number
  readonly repeatsMax: number
}

const nodeName = (node: number): NodeId => NodeId.make(`n${node + 1}`)
const numberOf = (node: NodeId): number => Number(node.slice(1)) - 1

const replaced = <A>(list: ReadonlyArray<A>, at: number, value: A): ReadonlyArray<A> =>
  list.map((each, i) => (i === at ? value : each))

const without = <A>(list: ReadonlyArray<A>, at: number): ReadonlyArray<A> =>
  list.filter((_, i) => i !== at)

/** Sends to the node that the decision names next, as the coordinator does. */
const follow = (implementation: Implementation, situation: Situation): Situation => {
  const { next } = situation.decision
  if (next === undefined) return situation
  const node = numberOf(next)
  const incarnation = situation.heard[node]!
  const before = situation.sentTo.node === node ? situation.sentTo.count : 0
  return {
    ...situation,
    decision: implementation.step(situation.decision, { _tag: "Sent", incarnation }),
    requests: [...situation.requests, { node, incarnation }],
    sentTo: { node, count: incarnation === "" ? before : before + 1 },
    sendings: situation.sendings + 1
  }
}

const take = (implementation: Implementation, situation: Situation, event: Event): Situation => {
  const decision = implementation.step(situation.decision, event)
  return follow(implementation, { ...situation, decision })
}

/** The situation after a node has received a sending; it may carry the write out or refuse it. */
const receive = (
  situation: Situation,
  { incarnation, node }: Sending,
  would: Answer
): Situation => {
  if (incarnation !== situation.actual[node]) {
    const reply = { _tag: "Other", from: node, asked: incarnation } as const
    return { ...situation, replies: [...situation.replies, reply] }
  }
  // A document knows the operation after a restart; a refusal is remembered by its incarnation.
  const answer = situation.applied[node] === true ? "done" : situation.said[node] ?? would
  return {
    ...situation,
    said: replaced(situation.said, node, answer),
    applied: replaced(situation.applied, node, answer === "done"),
    replies: [...situation.replies, { _tag: "Answer", from: node, answer }]
  }
}

const hear = (implementation: Implementation, situation: Situation, reply: Reply): Situation => {
  const { from } = reply
  const told = { ...situation, heard: replaced(situation.heard, from, situation.actual[from]!) }
  if (reply._tag === "Other") {
    const heard = told.heard[from]!
    return take(implementation, told, {
      _tag: "OtherIncarnation",
      from: nodeName(from),
      asked: reply.asked,
      heard
    })
  }
  const isCertain = situation.sentTo.count === 1
  const { answer } = reply
  return take(
    implementation,
    told,
    answer === "refused"
      ? { _tag: "Refused", from: nodeName(from), answer, isCertain }
      : { _tag: "Answered", answer, isPassing: false, isCertain }
  )
}

const successors = (
  implementation: Implementation,
  situation: Situation,
  bounds: Bounds
): ReadonlyArray<Situation> => {
  const next: Array<Situation> = []
  situation.requests.forEach((sending, i) => {
    const rest = { ...situation, requests: without(situation.requests, i) }
    next.push(rest, receive(rest, sending, "done"), receive(rest, sending, "refused"))
    if (situation.repeats === bounds.repeatsMax) return
    const repeated = { ...situation, repeats: situation.repeats + 1 }
    next.push(receive(repeated, sending, "done"), receive(repeated, sending, "refused"))
  })
  situation.replies.forEach((reply, i) => {
    const rest = { ...situation, replies: without(situation.replies, i) }
    next.push(rest, hear(implementation, rest, reply))
  })
  if (situation.sendings < bounds.sendingsMax) {
    next.push(take(implementation, situation, { _tag: "Late" }))
  }
  next.push(take(implementation, situation, { _tag: "Deadline" }))
  for (let node = 0; node < bounds.nodes && situation.restarts < bounds.restartsMax; node++) {
    next.push({
      ...situation,
      actual: replaced(situation.actual, node, `${situation.actual[node]}'`),
      said: replaced(situation.said, node, undefined),
      restarts: situation.restarts + 1
    })
  }
  return next
}

/** The promise that a situation breaks, if any. */
const broken = ({ applied, decision: { outcome } }: Situation): string | undefined => {
  const count = applied.filter(Boolean).length
  if (count > 1) return "two nodes have carried the write out"
  if (outcome._tag !== "Answer") return undefined
  if (outcome.answer === "refused" && count > 0) return "a write was denied that is carried out"
  if (outcome.answer === "done" && count === 0) return "a write was confirmed that no node has"
  return undefined
}

/** The first broken promise in any order of events, and the number of situations tried. */
export const explore = (
  implementation: Implementation,
  bounds: Bounds
): { readonly situations: number; readonly broken: string | undefined } => {
  const nodes = Array.from({ length: bounds.nodes }, (_, node) => node)
  const start = follow(implementation, {
    decision: implementation.make({ action: "write", nodes: nodes.map(nodeName) }),
    actual: nodes.map(() => "i"),
    heard: nodes.map(() => (bounds.met ? "i" : "")),
    said: nodes.map(() => undefined),
    applied: nodes.map(() => false),
    requests: [],
    replies: [],
    sentTo: { node: -1, count: 0 },
    sendings: 0,
    restarts: 0,
    repeats: 0
  })
  const seen = new Set([JSON.stringify(start)])
  const open = [start]
  for (let situation = open.pop(); situation !== undefined; situation = open.pop()) {
    const found = broken(situation)
    if (found !== undefined) return { situations: seen.size, broken: found }
    for (const next of successors(implementation, situation, bounds)) {
      const key = JSON.stringify(next)
      if (next.sendings > bounds.sendingsMax || seen.has(key)) continue
      seen.add(key)
      open.push(next)
    }
  }
  return { situations: seen.size, broken: undefined }
}
