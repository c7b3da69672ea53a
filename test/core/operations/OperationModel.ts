/**
 * Models the nodes that one operation reaches, so that every order of deliveries, losses, refusals,
 * evictions, restarts and retries elsewhere can be tried. Which node has carried it out is known
 * here, and the decisions must never have it carried out twice, nor deny that it was.
 */
import { NodeId } from "../../../src/core/model/Names.ts"
import * as InquiryDecision from "../../../src/core/operations/InquiryDecision.ts"
import * as Mark from "../../../src/core/operations/Mark.ts"
import * as Proof from "../../../src/core/operations/Proof.ts"

export interface Rules {
  readonly judge: typeof Proof.judge
  readonly testify: typeof Proof.testify
  readonly step: typeof InquiryDecision.step
}

export const rules: Rules = { ...Proof, step: InquiryDecision.step }

export interface Bounds {
  readonly nodes: number
  /** Whether requests name marks. */
  readonly hasMarks: boolean
  readonly sendingsMax: number
  readonly restartsMax: number
  readonly evictionsMax: number
  readonly refusalsMax: number
}

interface Inquiring {
  readonly decision: InquiryDecision.InquiryDecision
  readonly number: number
}

interface NodeState {
  readonly memory: Proof.Memory
  readonly trace: Proof.Trace | undefined
  readonly isDurable: boolean
  readonly inquiring: Inquiring | undefined
}

type Message =
  | {
    readonly _tag: "Copy"
    readonly to: number
    readonly sending: number
    readonly claim: Proof.Claim
  }
  | {
    readonly _tag: "Ask"
    readonly from: number
    readonly to: number
    readonly number: number
    readonly mark: string | undefined
  }
  | {
    readonly _tag: "Word"
    readonly from: number
    readonly to: number
    readonly number: number
    readonly mark: string | undefined
    readonly word: Proof.Word | { readonly _tag: "Contended" }
  }
  /** The state after the operation, with its row. */
  | { readonly _tag: "Row"; readonly to: number }
  | {
    readonly _tag: "Answer"
    readonly from: number
    /** 0 where it answers none that the client counts. */
    readonly sending: number
    readonly answer: "done" | "refused" | "stale" | "unknown"
    readonly mark: string
  }

interface Situation {
  readonly nodes: ReadonlyArray<NodeState>
  readonly messages: ReadonlyArray<Message>
  /** How often it was carried out. */
  readonly applied: number
  readonly numbers: number
  readonly client: {
    readonly marks: ReadonlyArray<string>
    readonly tried: ReadonlyArray<Proof.Target>
    readonly sendings: number
    /** The sendings to each node since it last refused. */
    readonly sentTo: ReadonlyArray<ReadonlyArray<number>>
    /** It was told that nothing was done, and asks no more. */
    readonly isDenied: boolean
  }
  readonly restarts: number
  readonly evictions: number
  readonly refusals: number
}

const nodeId = (node: number): NodeId => NodeId.make(`n${node + 1}`)
const numberOf = (node: NodeId): number => Number(node.slice(1)) - 1
const markOf = ({ memory }: NodeState): string => Mark.encode(memory)

const without = <A>(list: ReadonlyArray<A>, at: number): ReadonlyArray<A> =>
  list.filter((_, i) => i !== at)

const withNode = (
  situation: Situation,
  at: number,
  change: Partial<NodeState>
): Situation => ({
  ...situation,
  nodes: situation.nodes.map((node, i) => (i === at ? { ...node, ...change } : node))
})

const send = (situation: Situation, ...more: ReadonlyArray<Message>): Situation => ({
  ...situation,
  messages: [...situation.messages, ...more]
})

const answer = (
  situation: Situation,
  from: number,
  said: Extract<Message, { readonly _tag: "Answer" }>["answer"],
  sending = 0
): Situation => {
  const mark = markOf(situation.nodes[from]!)
  return send(situation, { _tag: "Answer", from, sending, answer: said, mark })
}

/** Notes one arrival at a node. */
const arrive = (
  situation: Situation,
  at: number,
  traceOf: (arrival: number) => Proof.Trace
): Situation => {
  const { memory } = situation.nodes[at]!
  const arrivals = memory.arrivals + 1
  return withNode(situation, at, { memory: { ...memory, arrivals }, trace: traceOf(arrivals) })
}

const fence = (situation: Situation, at: number): Situation =>
  arrive(situation, at, (arrival) => ({ _tag: "Fenced", arrival }))

const carryOut = (situation: Situation, at: number): Situation => {
  if (situation.nodes[at]!.trace?._tag === "Applied") return answer(situation, at, "done")
  const done = arrive(
    { ...situation, applied: situation.applied + 1 },
    at,
    (arrival) => ({ _tag: "Applied", arrival })
  )
  const rows = situation.nodes.flatMap((_, to) => (to === at ? [] : [{ _tag: "Row", to } as const]))
  return answer(send(withNode(done, at, { isDurable: false }), ...rows), at, "done")
}

const conclude = (situation: Situation, at: number): Situation => {
  const { inquiring } = situation.nodes[at]!
  const outcome = inquiring?.decision.outcome
  if (outcome === undefined || outcome._tag === "Wait") return situation
  const ended = withNode(situation, at, { inquiring: undefined })
  switch (outcome._tag) {
    case "Do":
    case "Known":
      return carryOut(ended, at)
    case "GiveWay":
      return ended
    case "Unknown":
      return answer(ended, at, "unknown")
  }
}

const inquire = (
  situation: Situation,
  at: number,
  verdict: Extract<Proof.Verdict, { readonly _tag: "Inquire" }>
): Situation => {
  const number = situation.numbers + 1
  const decision = InquiryDecision.make({
    ...verdict,
    self: nodeId(at),
    ifUnknown: "fail",
    owners: situation.nodes.map((_, node) => nodeId(node)),
    isAway: () => false
  })
  const asks = decision.questions.map((question) => ({
    _tag: "Ask" as const,
    from: at,
    to: numberOf(question.node),
    number,
    mark: question.mark
  }))
  const begun = withNode({ ...situation, numbers: number }, at, {
    inquiring: { decision, number }
  })
  return conclude(send(begun, ...asks), at)
}

const receiveCopy = (
  rules: Rules,
  situation: Situation,
  { claim, sending, to }: Extract<Message, { readonly _tag: "Copy" }>,
  refuses: boolean
): Situation => {
  const { inquiring, memory, trace } = situation.nodes[to]!
  if (inquiring !== undefined) return situation
  const verdict = rules.judge(memory, { self: nodeId(to), trace, claim })
  if (verdict._tag === "Stale") return answer(situation, to, "stale", sending)
  if (refuses) {
    const isProven = verdict._tag === "Do" || (verdict._tag === "Inquire" && verdict.isProven)
    if (!isProven) return answer(situation, to, "unknown")
    const refused = claim.mark === undefined ? situation : fence(situation, to)
    return answer(refused, to, "refused", sending)
  }
  return verdict._tag === "Inquire"
    ? inquire(situation, to, verdict)
    : carryOut(situation, to)
}

const decide = (
  rules: Rules,
  situation: Situation,
  at: number,
  event: InquiryDecision.InquiryEvent
): Situation => {
  const { inquiring } = situation.nodes[at]!
  if (inquiring === undefined) return situation
  const decision = rules.step(inquiring.decision, event)
  return conclude(withNode(situation, at, { inquiring: { ...inquiring, decision } }), at)
}

const receiveAsk = (
  rules: Rules,
  situation: Situation,
  ask: Extract<Message, { readonly _tag: "Ask" }>
): Situation => {
  const { from, mark, number, to } = ask
  const reply = (after: Situation, word: Proof.Word | { readonly _tag: "Contended" }) =>
    send(after, { _tag: "Word", from: to, to: from, number, mark, word })
  if (situation.nodes[to]!.inquiring !== undefined && from > to) {
    return reply(situation, { _tag: "Contended" })
  }
  const given = decide(rules, situation, to, { _tag: "Rival", node: nodeId(from) })
  const { memory, trace } = given.nodes[to]!
  const word = rules.testify(memory, { trace, mark })
  return reply(word._tag === "Fenced" ? fence(given, to) : given, word)
}

const receiveWord = (
  rules: Rules,
  situation: Situation,
  { from, mark, number, to, word }: Extract<Message, { readonly _tag: "Word" }>
): Situation => {
  if (situation.nodes[to]!.inquiring?.number !== number) return situation
  const node = nodeId(from)
  switch (word._tag) {
    case "Known": {
      const taken = arrive(situation, to, (arrival) => ({ _tag: "Applied", arrival }))
      return decide(rules, taken, to, { _tag: "Known", from: node })
    }
    case "Contended":
      return decide(rules, situation, to, { _tag: "Rival", node })
    case "Fenced":
    case "Unknown":
      return decide(rules, situation, to, { _tag: word._tag, from: node, mark })
    case "Forwarded":
      return situation
  }
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

const evicted = (situation: Situation, at: number): Situation => {
  const { memory, trace } = situation.nodes[at]!
  return withNode({ ...situation, evictions: situation.evictions + 1 }, at, {
    memory: { ...memory, arrivals: memory.arrivals + 1, evictedThrough: trace!.arrival },
    trace: undefined
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
      yield evicted(situation, at)
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
const broken = ({ applied, client }: Situation): string | undefined => {
  if (applied > 1) return "it was carried out twice"
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
    restarts: 0,
    evictions: 0,
    refusals: 0
  }
  const seen = new Set([JSON.stringify(start)])
  const open = [start]
  for (let situation = open.pop(); situation !== undefined; situation = open.pop()) {
    const found = broken(situation)
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
