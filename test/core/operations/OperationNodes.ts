/**
 * Models the nodes that one operation reaches, by the rules of operations: what each does with a
 * request, with the question of another node, and with the answer to its own.
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

interface Inquiring {
  readonly decision: InquiryDecision.InquiryDecision
  readonly number: number
  /** The sending for which the node inquires. */
  readonly sending: number
}

interface NodeState {
  readonly memory: Proof.Memory
  readonly trace: Proof.Trace | undefined
  readonly isDurable: boolean
  readonly inquiring: Inquiring | undefined
}

export type Message =
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

export interface Situation {
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
  /** As each request says. */
  readonly ifUnknown: "fail" | "apply"
  readonly restarts: number
  readonly evictions: number
  readonly refusals: number
}

export const nodeId = (node: number): NodeId => NodeId.make(`n${node + 1}`)
const numberOf = (node: NodeId): number => Number(node.slice(1)) - 1
const markOf = ({ memory }: NodeState): string => Mark.encode(memory)

export const without = <A>(list: ReadonlyArray<A>, at: number): ReadonlyArray<A> =>
  list.filter((_, i) => i !== at)

export const withNode = (
  situation: Situation,
  at: number,
  change: Partial<NodeState>
): Situation => ({
  ...situation,
  nodes: situation.nodes.map((node, i) => (i === at ? { ...node, ...change } : node))
})

export const send = (situation: Situation, ...more: ReadonlyArray<Message>): Situation => ({
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
export const arrive = (
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
    case "Refused":
      return answer(ended, at, "stale", inquiring!.sending)
    case "Unknown":
      return answer(ended, at, "unknown")
  }
}

const inquire = (
  situation: Situation,
  at: number,
  { sending, verdict }: {
    readonly verdict: Extract<Proof.Verdict, { readonly _tag: "Inquire" }>
    readonly sending: number
  }
): Situation => {
  const number = situation.numbers + 1
  const decision = InquiryDecision.make({
    ...verdict,
    self: nodeId(at),
    ifUnknown: situation.ifUnknown,
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
    inquiring: { decision, number, sending }
  })
  return conclude(send(begun, ...asks), at)
}

export const receiveCopy = (
  rules: Rules,
  situation: Situation,
  { claim, sending, to }: Extract<Message, { readonly _tag: "Copy" }>,
  refuses: boolean
): Situation => {
  const { inquiring, memory, trace } = situation.nodes[to]!
  // It waits for the end of the inquiry, as one that is still on its way does. A node that takes
  // nothing in refuses it at once.
  if (inquiring !== undefined && !refuses) return situation
  const verdict = rules.judge(memory, { self: nodeId(to), trace, claim })
  if (verdict._tag === "Stale") return answer(situation, to, "stale", sending)
  if (refuses) {
    const isProven = verdict._tag === "Do" || (verdict._tag === "Inquire" && verdict.isProven)
    if (!isProven) return answer(situation, to, "unknown")
    if (claim.mark === undefined) return answer(situation, to, "refused", sending)
    const refused = decide(rules, fence(situation, to), to, { _tag: "Refused" })
    return answer(refused, to, "refused", sending)
  }
  return verdict._tag === "Inquire"
    ? inquire(situation, to, { verdict, sending })
    : carryOut(situation, to)
}

export const decide = (
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

export const receiveAsk = (
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

export const receiveWord = (
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
