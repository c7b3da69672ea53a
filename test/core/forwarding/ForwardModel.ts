/**
 * Models the nodes that a forwarded write reaches, so that every order of deliveries, losses, late
 * answers, refusals, restarts and deaths can be tried: which node has carried the write out is
 * known here, and the decision must never have it carried out twice, nor deny that it was.
 *
 * Nodes judge by the rules of operations. Where others must be asked first, their words come at
 * once, or not at all: `OperationModel` tries the orders of those.
 */
import * as ForwardDecision from "../../../src/core/forwarding/ForwardDecision.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import * as Mark from "../../../src/core/operations/Mark.ts"
import * as Proof from "../../../src/core/operations/Proof.ts"

type Implementation = Pick<typeof ForwardDecision, "make" | "nodeOf" | "step">

type Answer = "done" | "refused" | "unknown"

type Event = ForwardDecision.ForwardEvent<Answer>

interface Sending extends Proof.Claim {
  readonly node: number
  readonly incarnation: string
  readonly sending: number
}

interface Reply {
  readonly from: number
  readonly sending: number
  readonly answer: Answer | "stale"
  readonly mark: string
}

interface NodeState {
  readonly memory: Proof.Memory
  readonly trace: Proof.Trace | undefined
}

interface Situation {
  readonly decision: ForwardDecision.ForwardDecision<Answer>
  readonly nodes: ReadonlyArray<NodeState>
  /** By node: its mark that the forwarding node knows; empty where it knows none. */
  readonly marks: ReadonlyArray<string>
  readonly applied: number
  readonly requests: ReadonlyArray<Sending>
  readonly replies: ReadonlyArray<Reply>
  readonly sendings: number
  readonly restarts: number
  readonly evictions: number
}

export interface Bounds {
  readonly nodes: number
  /** Whether marks are known at the start. */
  readonly met: boolean
  readonly sendingsMax: number
  readonly restartsMax: number
  readonly evictionsMax: number
}

const nodeName = (node: number): NodeId => NodeId.make(`n${node + 1}`)
const numberOf = (node: NodeId): number => Number(node.slice(1)) - 1

const replaced = <A>(list: ReadonlyArray<A>, at: number, value: A): ReadonlyArray<A> =>
  list.map((each, i) => (i === at ? value : each))

const without = <A>(list: ReadonlyArray<A>, at: number): ReadonlyArray<A> =>
  list.filter((_, i) => i !== at)

/** Sends to the node that the decision names next, as the coordinator does. */
const follow = (implementation: Implementation, situation: Situation): Situation => {
  const { next, tried } = situation.decision
  if (next === undefined) return situation
  const node = numberOf(next)
  const mark = tried.find((target) => target.node === next)?.mark ?? situation.marks[node]!
  const sending = situation.sendings
  const { incarnation } = situation.nodes[node]!.memory
  return {
    ...situation,
    decision: implementation.step(situation.decision, { _tag: "Sent", sending, mark }),
    requests: [...situation.requests, { node, incarnation, sending, mark, tried }],
    sendings: sending + 1
  }
}

const take = (implementation: Implementation, situation: Situation, event: Event): Situation => {
  const decision = implementation.step(situation.decision, event)
  return follow(implementation, { ...situation, decision })
}

const arrive = (
  situation: Situation,
  at: number,
  traceOf: (arrival: number) => Proof.Trace
): Situation => {
  const { memory } = situation.nodes[at]!
  const arrivals = memory.arrivals + 1
  const node = { memory: { ...memory, arrivals }, trace: traceOf(arrivals) }
  return { ...situation, nodes: replaced(situation.nodes, at, node) }
}

const fence = (situation: Situation, at: number): Situation =>
  arrive(situation, at, (arrival) => ({ _tag: "Fenced", arrival }))

const reply = (situation: Situation, { node, sending }: Sending, answer: Reply["answer"]) => ({
  ...situation,
  replies: [...situation.replies, {
    from: node,
    sending,
    answer,
    mark: Mark.encode(situation.nodes[node]!.memory)
  }]
})

const carryOut = (situation: Situation, sending: Sending): Situation => {
  const { trace } = situation.nodes[sending.node]!
  if (trace?._tag === "Applied") return reply(situation, sending, "done")
  const applied = { ...situation, applied: situation.applied + 1 }
  const done = arrive(applied, sending.node, (arrival) => ({ _tag: "Applied", arrival }))
  return reply(done, sending, "done")
}

/** The nodes that were tried say what they have done, at once. */
const inquire = (
  situation: Situation,
  sending: Sending,
  verdict: Extract<Proof.Verdict, { readonly _tag: "Inquire" }>
): Situation => {
  let { isProven } = verdict
  let after = situation
  for (const { mark, node } of verdict.tried) {
    const at = numberOf(node)
    const { memory, trace } = after.nodes[at]!
    const word = Proof.testify(memory, { trace, mark })
    if (word._tag === "Known") return reply(after, sending, "done")
    if (word._tag === "Fenced") after = fence(after, at)
    else isProven = false
  }
  return isProven ? carryOut(after, sending) : reply(after, sending, "unknown")
}

/** The situations after a node has received a sending: it may do it, refuse it, or not know. */
const receive = (situation: Situation, sending: Sending): ReadonlyArray<Situation> => {
  const { memory, trace } = situation.nodes[sending.node]!
  // The frame names the incarnation that it is for.
  if (sending.incarnation !== memory.incarnation) return [situation]
  const self = nodeName(sending.node)
  const verdict = Proof.judge(memory, { self, trace, claim: sending })
  switch (verdict._tag) {
    case "Known":
      return [carryOut(situation, sending)]
    case "Stale":
      return [reply(situation, sending, "stale")]
    case "Do":
      return [
        carryOut(situation, sending),
        reply(fence(situation, sending.node), sending, "refused")
      ]
    case "Inquire":
      return [
        inquire(situation, sending, verdict),
        reply(situation, sending, "unknown"),
        ...(verdict.isProven
          ? [reply(fence(situation, sending.node), sending, "refused")]
          : [])
      ]
  }
}

const hear = (
  implementation: Implementation,
  situation: Situation,
  { answer, from, mark, sending }: Reply
): Situation => {
  const told = { ...situation, marks: replaced(situation.marks, from, mark) }
  const node = nodeName(from)
  if (answer === "stale") {
    return take(implementation, told, { _tag: "Stale", from: node, sending })
  }
  return take(
    implementation,
    told,
    answer === "refused"
      ? { _tag: "Refused", from: node, sending, answer }
      : { _tag: "Answered", from: node, sending, answer, isPassing: false }
  )
}

const restarted = (situation: Situation, at: number): Situation => {
  const { memory, trace } = situation.nodes[at]!
  const node = {
    memory: { incarnation: `${memory.incarnation}x`, arrivals: 1, evictedThrough: 0 },
    trace: trace?._tag === "Applied" ? { ...trace, arrival: 1 } : undefined
  }
  return {
    ...situation,
    nodes: replaced(situation.nodes, at, node),
    restarts: situation.restarts + 1
  }
}

const evicted = (situation: Situation, at: number): Situation => {
  const { memory, trace } = situation.nodes[at]!
  const arrivals = memory.arrivals + 1
  const node = {
    memory: { ...memory, arrivals, evictedThrough: trace!.arrival },
    trace: undefined
  }
  return {
    ...situation,
    nodes: replaced(situation.nodes, at, node),
    evictions: situation.evictions + 1
  }
}

const successors = (
  implementation: Implementation,
  situation: Situation,
  bounds: Bounds
): ReadonlyArray<Situation> => {
  const next: Array<Situation> = []
  situation.requests.forEach((sending, i) => {
    const rest = { ...situation, requests: without(situation.requests, i) }
    next.push(rest, ...receive(rest, sending))
  })
  situation.replies.forEach((reply, i) => {
    const rest = { ...situation, replies: without(situation.replies, i) }
    // It may come again.
    next.push(rest, hear(implementation, rest, reply), hear(implementation, situation, reply))
  })
  if (situation.sendings < bounds.sendingsMax) {
    next.push(take(implementation, situation, { _tag: "Late" }))
    next.push(take(implementation, situation, { _tag: "Down" }))
  }
  next.push(take(implementation, situation, { _tag: "Deadline" }))
  for (let node = 0; node < bounds.nodes; node++) {
    if (situation.restarts < bounds.restartsMax) next.push(restarted(situation, node))
    if (situation.evictions < bounds.evictionsMax && situation.nodes[node]!.trace !== undefined) {
      next.push(evicted(situation, node))
    }
  }
  return next
}

/** The promise that a situation breaks, if any. */
const broken = ({ applied, decision: { outcome } }: Situation): string | undefined => {
  if (applied > 1) return "the write was carried out twice"
  if (outcome._tag !== "Answer") return undefined
  if (outcome.answer === "refused" && applied > 0) return "a write was denied that is carried out"
  if (outcome.answer === "done" && applied === 0) return "a write was confirmed that no node has"
  return undefined
}

/** The first broken promise in any order of events, and the number of situations tried. */
export const explore = (
  implementation: Implementation,
  bounds: Bounds
): { readonly situations: number; readonly broken: string | undefined } => {
  const names = Array.from({ length: bounds.nodes }, (_, node) => nodeName(node))
  const memory = { incarnation: "i", arrivals: 0, evictedThrough: 0 }
  const start = follow(implementation, {
    decision: implementation.make({ action: "write", nodes: names, tried: [] }),
    nodes: names.map(() => ({ memory, trace: undefined })),
    marks: names.map(() => (bounds.met ? Mark.encode(memory) : "")),
    applied: 0,
    requests: [],
    replies: [],
    sendings: 0,
    restarts: 0,
    evictions: 0
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
