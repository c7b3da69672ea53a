/**
 * Tries every order of deliveries, losses, refusals, evictions, restarts and retries elsewhere of
 * one operation. Which node has carried it out is known here, and the decisions must never have it
 * carried out twice, nor deny that it was.
 */
import * as Mark from "../../../src/core/operations/Mark.ts"
import {
  arrive,
  decide,
  type Message,
  nodeId,
  receiveAsk,
  receiveCopy,
  receiveWord,
  type Rules,
  rules,
  send,
  type Situation,
  withNode,
  without
} from "./OperationNodes.ts"

export interface Bounds {
  readonly nodes: number
  /** Whether requests name marks. */
  readonly hasMarks: boolean
  /** Whether requests ask for it to be done again where nobody can tell. */
  readonly appliesAgain: boolean
  readonly sendingsMax: number
  readonly restartsMax: number
  readonly evictionsMax: number
  readonly refusalsMax: number
}

/**
 * The client drops a node that has done nothing. A stale mark says so of one sending only; of two,
 * the second may have been carried out.
 */
const receiveAnswer = (
  situation: Situation,
  { answer: said, from, mark, sending }: Extract<Message, { readonly _tag: "Answer" }>
): Situation => {
  const { client } = situation
  const asked = client.tried.filter(({ node }) => node === nodeId(from))
  const sendings = client.sentTo[from]!
  if (!sendings.includes(sending)) return situation
  const isSure = sendings.length === 1
    || (said === "refused" && asked.every((target) => target.mark !== undefined))
  const isRefusal = said === "refused" || said === "stale"
  if (!isRefusal || asked.length !== 1 || !isSure || client.isDenied) return situation
  return {
    ...situation,
    client: {
      ...client,
      tried: client.tried.filter(({ node }) => node !== nodeId(from)),
      sentTo: client.sentTo.map((sent, node) => (node === from ? [] : sent)),
      marks: client.marks.map((known, node) => (node === from ? mark : known))
    }
  }
}

const receive = (rules: Rules, situation: Situation, message: Message): Situation => {
  switch (message._tag) {
    case "Copy":
      return receiveCopy(rules, situation, message, false)
    case "Ask":
      return receiveAsk(rules, situation, message)
    case "Word":
      return receiveWord(rules, situation, message)
    case "Row":
      return situation.nodes[message.to]!.trace?._tag === "Applied"
        ? situation
        : arrive(situation, message.to, (arrival) => ({ _tag: "Applied", arrival }))
    case "Answer":
      return receiveAnswer(situation, message)
  }
}

/** The client sends to a node, naming those that it has tried. */
const ask = (situation: Situation, to: number, bounds: Bounds): Situation => {
  const { client } = situation
  const mark = bounds.hasMarks ? client.marks[to] : undefined
  const isTried = client.tried.some(({ node }) => node === nodeId(to))
  const tried = isTried ? client.tried : [...client.tried, { node: nodeId(to), mark }]
  const claim = { mark, tried: bounds.hasMarks ? client.tried : [] }
  const sendings = client.sendings + 1
  const sentTo = client.sentTo.map((sent, node) => (node === to ? [...sent, sendings] : sent))
  return send({ ...situation, client: { ...client, tried, sentTo, sendings } }, {
    _tag: "Copy",
    to,
    sending: sendings,
    claim
  })
}

const restarted = (situation: Situation, at: number): Situation => {
  const { isDurable, memory, trace } = situation.nodes[at]!
  const kept = trace?._tag === "Applied" && isDurable ? trace : undefined
  return withNode({ ...situation, restarts: situation.restarts + 1 }, at, {
    memory: { incarnation: `${memory.incarnation}x`, arrivals: 1, evictedThrough: 0 },
    trace: kept && { ...kept, arrival: 1 },
    inquiring: undefined
  })
}

/** Forgets the operation, or all that was noted before it. */
const evicted = (situation: Situation, at: number, keepsIt: boolean): Situation => {
  const { memory, trace } = situation.nodes[at]!
  const evictedThrough = keepsIt ? trace!.arrival - 1 : trace!.arrival
  return withNode({ ...situation, evictions: situation.evictions + 1 }, at, {
    memory: { ...memory, arrivals: memory.arrivals + 1, evictedThrough },
    trace: keepsIt ? trace : undefined
  })
}

function* ofMessages(rules: Rules, situation: Situation, bounds: Bounds): Iterable<Situation> {
  for (const [i, message] of situation.messages.entries()) {
    const rest = { ...situation, messages: without(situation.messages, i) }
    yield rest
    yield receive(rules, rest, message)
    if (message._tag === "Copy" && situation.refusals < bounds.refusalsMax) {
      yield receiveCopy(rules, { ...rest, refusals: rest.refusals + 1 }, message, true)
    }
  }
}

function* ofNodes(rules: Rules, situation: Situation, bounds: Bounds): Iterable<Situation> {
  for (const [at, node] of situation.nodes.entries()) {
    if (node.inquiring !== undefined) yield decide(rules, situation, at, { _tag: "Deadline" })
    const isApplied = node.trace?._tag === "Applied"
    if (isApplied && !node.isDurable) yield withNode(situation, at, { isDurable: true })
    if (situation.restarts < bounds.restartsMax) yield restarted(situation, at)
    if (situation.evictions < bounds.evictionsMax && node.trace !== undefined) {
      yield evicted(situation, at, false)
      yield evicted(situation, at, true)
    }
  }
}

function* ofClient(situation: Situation, bounds: Bounds): Iterable<Situation> {
  const { client, nodes } = situation
  if (client.isDenied) return
  if (client.sendings > 0 && client.tried.length === 0) {
    yield { ...situation, client: { ...client, isDenied: true } }
  }
  if (client.sendings === bounds.sendingsMax) return
  for (const to of nodes.keys()) yield ask(situation, to, bounds)
}

/** The promise that a situation breaks, if any. */
const broken = (
  { applied, client }: Situation,
  { appliesAgain }: Bounds
): string | undefined => {
  if (applied > 1 && !appliesAgain) return "it was carried out twice"
  if (client.isDenied && applied > 0) return "it was denied, and carried out"
  return undefined
}

/** The first broken promise in any order of events, and the number of situations tried. */
export const explore = (
  bounds: Bounds,
  by: Rules = rules
): { readonly situations: number; readonly broken: string | undefined } => {
  const memory = { incarnation: "i", arrivals: 0, evictedThrough: 0 }
  const node = { memory, trace: undefined, isDurable: false, inquiring: undefined }
  const start: Situation = {
    nodes: Array.from({ length: bounds.nodes }, () => node),
    messages: [],
    applied: 0,
    numbers: 0,
    client: {
      marks: Array.from({ length: bounds.nodes }, () => Mark.encode(memory)),
      tried: [],
      sendings: 0,
      sentTo: Array.from({ length: bounds.nodes }, () => []),
      isDenied: false
    },
    ifUnknown: bounds.appliesAgain ? "apply" : "fail",
    restarts: 0,
    evictions: 0,
    refusals: 0
  }
  const seen = new Set([JSON.stringify(start)])
  const open = [start]
  for (let situation = open.pop(); situation !== undefined; situation = open.pop()) {
    const found = broken(situation, bounds)
    if (found !== undefined) return { situations: seen.size, broken: found }
    const successors = [
      ...ofMessages(by, situation, bounds),
      ...ofNodes(by, situation, bounds),
      ...ofClient(situation, bounds)
    ]
    for (const next of successors) {
      const key = JSON.stringify(next)
      if (seen.has(key)) continue
      seen.add(key)
      open.push(next)
    }
  }
  return { situations: seen.size, broken: undefined }
}
