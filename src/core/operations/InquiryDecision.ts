/**
 * Decides, answer by answer, whether an operation that other nodes were asked for before may be
 * done here. Each of them must say that it has not done it and will not; one that cannot say so, or
 * is down, leaves it unknown, unless a node is found that has done it, or the request asks for the
 * operation to be done all the same.
 *
 * Several nodes may inquire about one operation at once. The one with the least id goes on; the
 * others give way to it.
 *
 * A decision is a value that its request owns: `step` never changes it, but returns the next.
 */
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"
import type { Target } from "./Proof.ts"

/** Asks one node about the operation, under the mark that it was asked to do it under. */
export interface Question extends Target {
  /** Whether nothing may be done without its word; else it is asked whether it has the row. */
  readonly isNeeded: boolean
  /** `open`: it may still answer; `away`: it is believed down. */
  readonly state: "open" | "clear" | "unclear" | "away"
}

/** A node that was asked, too, by one that answers. */
export interface NextTarget extends Target {
  /** Of the own node: whether it has certainly not done it under this mark. */
  readonly isProven: boolean
  readonly isAway: boolean
}

export type InquiryEvent =
  /** The word of a node under a mark. */
  | { readonly _tag: "Known"; readonly from: NodeId }
  | { readonly _tag: "Fenced"; readonly from: NodeId; readonly mark: string | undefined }
  | { readonly _tag: "Unknown"; readonly from: NodeId; readonly mark: string | undefined }
  | {
    readonly _tag: "Forwarded"
    readonly from: NodeId
    readonly mark: string | undefined
    readonly targets: ReadonlyArray<NextTarget>
  }
  /** The own node has told a client that it does not do it. */
  | { readonly _tag: "Refused" }
  /** A node inquires itself. */
  | { readonly _tag: "Rival"; readonly node: NodeId }
  /** A node is believed down. */
  | { readonly _tag: "Away"; readonly node: NodeId }
  /** Nobody else is waited for. */
  | { readonly _tag: "Deadline" }

export type InquiryOutcome =
  | { readonly _tag: "Wait" }
  /** A node has done it, and its state is here now. */
  | { readonly _tag: "Known" }
  /** `isSure`: no node has done it; else the request asked for it to be done all the same. */
  | { readonly _tag: "Do"; readonly isSure: boolean }
  /** The own node has refused it, or may have and forgotten that: not done under this mark. */
  | { readonly _tag: "Refused" }
  /** Another node inquires, and decides. */
  | { readonly _tag: "GiveWay"; readonly to: NodeId }
  /** Nobody can tell; these nodes could not. */
  | { readonly _tag: "Unknown"; readonly nodes: ReadonlyArray<NodeId> }

export interface InquiryDecision {
  /** Changes at most once, from `Wait`; compare by identity. */
  readonly outcome: InquiryOutcome
  readonly self: NodeId
  /** Whether the own node has certainly not done it. */
  readonly isProven: boolean
  /** Whether the own node would know that it has refused it under this mark. */
  readonly isRemembered: boolean
  readonly ifUnknown: "fail" | "apply"
  /** Invariant: no two of one node and mark; none of the own node. */
  readonly questions: ReadonlyArray<Question>
}

const wait = { _tag: "Wait" } as const

/**
 * The decision before anything is sent. `tried` were asked to do it. `owners`, the primaries of the
 * document, may have its row; `asksAll` makes their words needed too.
 */
export const make = (
  options: {
    readonly self: NodeId
    readonly isProven: boolean
    readonly asksAll: boolean
    readonly isRemembered: boolean
    readonly ifUnknown: "fail" | "apply"
    readonly tried: ReadonlyArray<Target>
    readonly owners: ReadonlyArray<NodeId>
    readonly isAway: (node: NodeId) => boolean
  }
): InquiryDecision => {
  const { asksAll, ifUnknown, isAway, isProven, isRemembered, owners, self, tried } = options
  let questions: ReadonlyArray<Question> = []
  for (const { mark, node } of tried) {
    invariant(node !== self, "a node does not ask itself")
    questions = withQuestion(questions, { node, mark, isNeeded: true, isAway: isAway(node) })
  }
  for (const node of owners) {
    const isAsked = questions.some((question) => question.node === node)
    if (node === self || (isAsked && !asksAll)) continue
    questions = withQuestion(questions, {
      node,
      mark: undefined,
      isNeeded: asksAll,
      isAway: isAway(node)
    })
  }
  return settle({ outcome: wait, self, isProven, isRemembered, ifUnknown, questions })
}

/**
 * The decision after an event.
 *
 * **Guarantees** `Do` that is sure only where the own node and every needed one have not done it;
 * no `Do` after a refusal, or where there may have been one; nothing changes once the outcome is
 * known.
 */
export const step = (decision: InquiryDecision, event: InquiryEvent): InquiryDecision => {
  if (decision.outcome._tag !== "Wait") return decision
  switch (event._tag) {
    case "Known":
      return { ...decision, outcome: { _tag: "Known" } }
    case "Fenced":
      return settle(answered(decision, event, "clear"))
    case "Unknown":
      return settle(answered(decision, event, "unclear"))
    case "Forwarded":
      return settle(followed(answered(decision, event, "clear"), event.targets))
    case "Refused":
      return { ...decision, outcome: { _tag: "Refused" } }
    case "Rival": {
      const { node } = event
      return node < decision.self
        ? { ...decision, outcome: { _tag: "GiveWay", to: node } }
        : decision
    }
    case "Away":
      return settle(away(decision, ({ node }) => node === event.node))
    case "Deadline":
      return settle(away(decision, () => true))
  }
}

/** The nodes that owe an answer. */
export const awaited = ({ outcome, questions }: InquiryDecision): ReadonlyArray<NodeId> =>
  outcome._tag === "Wait"
    ? [...new Set(questions.filter(({ state }) => state === "open").map(({ node }) => node))]
    : []

/** Whether nothing more is expected. */
export const isFinished = ({ outcome }: InquiryDecision): boolean => outcome._tag !== "Wait"

const withQuestion = (
  questions: ReadonlyArray<Question>,
  { isAway, isNeeded, mark, node }: Omit<Question, "state"> & { readonly isAway: boolean }
): ReadonlyArray<Question> => {
  const isSame = (other: Question) => other.node === node && other.mark === mark
  if (questions.some(isSame)) {
    // A node that was asked by the way may turn out to be needed.
    return isNeeded
      ? questions.map((other) => (isSame(other) ? { ...other, isNeeded } : other))
      : questions
  }
  return [...questions, { node, mark, isNeeded, state: isAway ? "away" : "open" }]
}

const answered = (
  decision: InquiryDecision,
  { from, mark }: { readonly from: NodeId; readonly mark: string | undefined },
  state: "clear" | "unclear"
): InquiryDecision => ({
  ...decision,
  questions: decision.questions.map((question) =>
    question.node === from && question.mark === mark && question.state !== "clear"
      ? { ...question, state }
      : question
  )
})

const followed = (
  decision: InquiryDecision,
  targets: ReadonlyArray<NextTarget>
): InquiryDecision => {
  let { isProven, questions } = decision
  for (const target of targets) {
    // A request under an empty mark is never done.
    if (target.mark === "") continue
    if (target.node === decision.self) isProven &&= target.isProven
    else questions = withQuestion(questions, { ...target, isNeeded: true })
  }
  return { ...decision, isProven, questions }
}

const away = (
  decision: InquiryDecision,
  isGone: (question: Question) => boolean
): InquiryDecision => ({
  ...decision,
  questions: decision.questions.map((question) =>
    question.state === "open" && isGone(question) ? { ...question, state: "away" } : question
  )
})

const settle = (decision: InquiryDecision): InquiryDecision => {
  const { ifUnknown, isProven, isRemembered, questions, self } = decision
  if (isProven && questions.every(({ isNeeded, state }) => !isNeeded || state === "clear")) {
    return { ...decision, outcome: { _tag: "Do", isSure: true } }
  }
  if (questions.some(({ state }) => state === "open")) return decision
  if (ifUnknown === "apply") {
    // A message that comes late may be of a request that this node has refused, and forgotten.
    const outcome = isRemembered
      ? { _tag: "Do", isSure: false } as const
      : { _tag: "Refused" } as const
    return { ...decision, outcome }
  }
  const unclear = questions.filter(({ isNeeded, state }) => isNeeded && state !== "clear")
  const nodes = [...new Set([...(isProven ? [] : [self]), ...unclear.map(({ node }) => node)])]
  return { ...decision, outcome: { _tag: "Unknown", nodes } }
}
