/**
 * Takes one session's requests to the nodes, as a remote client does: with its decisions, marks and
 * pauses, but over simulated ways, on which messages are late and answers are lost. A user's own
 * name for a write may go to several nodes at once.
 */
import { decodeRequest } from "../../coordinator/RequestDecoding.ts"
import type { Sender } from "../../../schemas/ClientAnswer.ts"
import type {
  Backend,
  BackendAnswer,
  BackendRequest,
  BackendRespond
} from "../../client/Backend.ts"
import { NodeMarks } from "../../client/NodeMarks.ts"
import { RemoteRequest, type RequestSender } from "../../client/RemoteRequest.ts"
import { RetryBudget } from "../../client/RetryBudget.ts"
import type { RequestText } from "../../client/RequestText.ts"
import * as Json from "../../core/codec/Json.ts"
import { invariant } from "../../core/Invariant.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import { type ClientLimits, lan } from "../../core/model/Limits.ts"
import { NodeId } from "../../core/model/Names.ts"
import { anonymous } from "../../core/model/Principal.ts"
import { isPassing, NoAnswer, type StoreError } from "../../core/model/StoreError.ts"
import type { Answer } from "../../coordinator/Request.ts"
import type { Runtime } from "../../core/Runtime.ts"
import type { NodeCore } from "../../node/NodeCore.ts"
import { InFlightRequests } from "../../transport/InFlightRequests.ts"
import type { Refusal } from "./AvailabilityJudge.ts"
import { admit } from "./Admit.ts"
import { judgeAnswer, type Judgement } from "./AnswerJudge.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import type { SimCluster } from "./SimCluster.ts"
import { epochMillis } from "./SimRuntime.ts"
import { type Taking, takingOf } from "./Taking.ts"

/** One operation's way to its node. */
export interface Way {
  readonly cluster: SimCluster
  readonly node: string
  /** Of this operation alone, so that leaving out another one changes nothing here. */
  readonly random: SeededRandom
  readonly answerLoss: number
  readonly lateShare: number
  readonly operation: number
  /** At how many nodes at once the user asks, under a name; 0 where the client names the write. */
  readonly namedAt: number
  readonly ifUnknown: "fail" | "apply"
  readonly sendingsPerNode: number
  readonly staleMarksPerNode: number
  /** Told of each error of a node, in the moment in which the node gives it. */
  readonly refused: (refusal: Refusal) => void
}

/** The way of a request outside the workload. */
export const noWay = {
  answerLoss: 0,
  lateShare: 0,
  operation: 0,
  namedAt: 0,
  ifUnknown: "fail",
  sendingsPerNode: 2,
  staleMarksPerNode: lan.client.staleMarksPerNode,
  refused: () => {}
} as const

/** The outcome of the requests of one operation. */
export interface RequestTrace {
  readonly answers: Array<{
    readonly action: string
    readonly answer: BackendAnswer
    /** Made in the moment in which the node gave the answer. */
    readonly judgement: Judgement
  }>
  /** Tags of the errors that nodes answered. */
  readonly refusals: Array<string>
  /** How often the last request was sent, but for questions after a mark. */
  sendings: number
  /** How often it is applied at most, as its client was promised. */
  timesMax: number
  /** Whether its user named it. */
  isNamed: boolean
  /** The node that gave the last answer. */
  answeredBy: string | undefined
  /** Whether an answer was lost on its way, or a message late: no fault of the cluster. */
  isDisturbed: boolean
  /** Each time that a node took a request of the operation. */
  readonly takings: Array<Taking>
}

export const noTrace = (): RequestTrace => ({
  answers: [],
  refusals: [],
  sendings: 0,
  timesMax: 1,
  isNamed: false,
  answeredBy: undefined,
  isDisturbed: false,
  takings: []
})

/** Each attempt may apply a write once more where its client prefers that to not knowing. */
const applyAttemptsMax = 3
/** Of the answers to one request: the next one must come before its deadline. */
const lossesMax = 2
const lateMillis = 2_500

const limits: ClientLimits = {
  ...lan.client,
  readTimeoutMillis: 1_000,
  writeTimeoutMillis: 1_000,
  // Three sendings fit into the time, with the pause doubled once.
  firstPauseMillis: 400,
  resendMaxMillis: 400,
  // A question after the mark is what a session begins with anyway.
  markFreshMillis: Infinity
}

/** One request as it is under way. */
interface Asking {
  readonly way: Way
  readonly trace: RequestTrace
  /** The node that it goes to first. */
  readonly first: string
  readonly judge: (answer: Answer) => Judgement
  /** Of the answer that its client hears. */
  judgement: Judgement
  losses: number
  messages: number
}

const nothingShown: Judgement = { unwritten: [], lost: undefined }

/** A session's backend; `way` and `trace` are set anew for each operation. */
export class SimBackend implements Backend {
  way: Way
  trace = noTrace()
  readonly runtime: Runtime
  readonly #session: string
  readonly #marks: NodeMarks
  readonly #retries = new RetryBudget(limits)
  readonly #pending: InFlightRequests<RemoteRequest>

  /** `clockMillis`: how far its clock is off. */
  constructor(way: Way, clockMillis = 0) {
    this.way = way
    const { kernel, outside } = way.cluster
    this.runtime = {
      now: () => epochMillis + clockMillis + kernel.now,
      elapsed: () => kernel.now,
      idle: () => kernel.now,
      after: (millis, task) => kernel.at(outside, kernel.now + millis, task),
      endOfTurn: (task) => kernel.soon(outside, task),
      random: way.random.next,
      id: way.random.id,
      mark: () => {}
    }
    this.#session = way.random.id()
    this.#marks = new NodeMarks(this.runtime, limits)
    this.#pending = new InFlightRequests({ runtime: this.runtime, limits })
  }

  readonly request = (request: BackendRequest, respond: BackendRespond): void => {
    const { trace, way } = this
    trace.sendings = 0
    const respondOnce = (outcome: BackendAnswer | StoreError, judgement: Judgement) => {
      if (outcome._tag === "Answer") {
        trace.answers.push({ action: request.action, answer: outcome, judgement })
      }
      respond(outcome)
    }
    if (request.action === "read") return this.#start(request, way, [way.node], respondOnce)
    const { ifUnknown, namedAt } = way
    trace.timesMax = ifUnknown === "apply" ? applyAttemptsMax : 1
    trace.isNamed = namedAt > 0
    const body = ifUnknown === "apply" ? { ...request.body, ifUnknown } : request.body
    if (namedAt === 0) return this.#start({ ...request, body }, way, [way.node], respondOnce)
    const named = { ...request, body, id: `o${way.operation}` }
    this.#start(named, way, nodesFrom(way).slice(0, namedAt), respondOnce)
  }

  readonly explain: Backend["explain"] = (_request, respond) => respond(notHere())
  readonly list: Backend["list"] = (_request, respond) => respond(notHere())
  readonly describe: Backend["describe"] = (respond) => respond(notHere())

  /** Asks several nodes at once; the first answer counts, else an error that leaves it open. */
  #start(
    request: BackendRequest,
    way: Way,
    nodes: ReadonlyArray<string>,
    respond: (outcome: BackendAnswer | StoreError, judgement: Judgement) => void
  ): void {
    let left = nodes.length
    let isOver = false
    let error: StoreError | undefined
    for (const first of nodes) {
      const judge = judgeAnswer(way.cluster, request)
      const shared = { way, trace: this.trace, judge, judgement: nothingShown }
      const asking = { ...shared, first, losses: 0, messages: 0 }
      const number = this.#pending.nextNumber()
      const remote = new RemoteRequest(this.#senderOf(asking), number, request, (outcome) => {
        left--
        if (outcome._tag !== "Answer" && (error === undefined || isPassing(error))) error = outcome
        const isLast = left === 0 && error !== undefined
        if (isOver || (outcome._tag !== "Answer" && !isLast)) return
        isOver = true
        respond(outcome._tag === "Answer" ? outcome : error!, asking.judgement)
      }, this.runtime.elapsed() + limits.queueMillis)
      this.#pending.add(number, remote)
      remote.start()
    }
  }

  #senderOf(asking: Asking): RequestSender {
    const { first, way } = asking
    const { ifUnknown, sendingsPerNode, staleMarksPerNode } = way
    const attemptsMax = ifUnknown === "apply" ? applyAttemptsMax : limits.attemptsMax
    const nodes = nodesFrom({ ...way, node: first })
    return {
      runtime: this.runtime,
      limits: { ...limits, sendingsPerNode, staleMarksPerNode, attemptsMax },
      session: this.#session,
      nodeFor: (_, avoid) => nodes.find((node) => !avoid.has(node)),
      markOf: (node) => this.#marks.of(node),
      post: (text, node) => this.#post(asking, text, node, attemptsMax),
      ended: (remote) => this.#pending.remove(remote.number),
      answered: () => {},
      unreachable: () => {},
      shed: () => {},
      mayRetry: () => this.#retries.take()
    }
  }

  #post(
    asking: Asking,
    text: RequestText,
    node: NodeId | undefined,
    attemptsMax: number
  ): undefined {
    const { trace, way: { cluster, lateShare, operation, random } } = asking
    const { kernel, outside } = cluster
    const body = decodeRequest(Json.parse(text.text))
    invariant(body._tag === "Success", "a client's request is one")
    const { id = 0, mark, operationId } = body.success
    if (operationId !== undefined) cluster.ledger.issued(operationId, operation)
    // Where it was not sent before, a question after a mark is no more than that.
    if (mark !== "" || trace.sendings > 0) trace.sendings++
    const number = Math.floor(id / attemptsMax)
    const attempt = id % attemptsMax
    let taking: Taking | undefined
    const deliver = (outcome: Answer | StoreError, sender?: Sender) => {
      if (outcome._tag !== "Answer") {
        trace.refusals.push(outcome._tag)
        invariant(taking !== undefined, "a node takes a request before it answers")
        const isOnly = trace.sendings <= 1 && !trace.isNamed
        asking.way.refused({ taking, error: outcome, isOnly })
      }
      if (this.#isLost(asking)) return
      const judgement = outcome._tag === "Answer" ? asking.judge(outcome) : nothingShown
      kernel.soon(outside, () => {
        if (outcome._tag === "Answer" && this.#pending.get(number) !== undefined) {
          trace.answeredBy = target
          asking.judgement = judgement
        }
        this.#hear({ number, attempt }, outcome, sender)
      })
    }
    const { action, bucket } = text.request
    const request = {
      action,
      bucket,
      body: body.success,
      principal: anonymous,
      forwarded: false
    }
    const target = node ?? this.#anyOf(asking)
    const message = ++asking.messages
    text.message = message
    const arrive = () => {
      const process = cluster.node(target).process(random)
      const take = (core: NodeCore) => {
        const taken = { ...request, node: target, process: process.name }
        taking = takingOf(cluster, core, taken)
        trace.takings.push(taking)
        admit(asking.way, core, request, deliver)
      }
      if (process.ask(take)) return
      // The subject has no subscriber.
      this.#pending.get(number)?.undelivered(message)
    }
    const isLate = kernel.now < cluster.healedAt && random.chance(lateShare)
    if (isLate) trace.isDisturbed = true
    if (isLate) kernel.at(outside, kernel.now + random.integer(1, lateMillis), arrive)
    else kernel.soon(outside, arrive)
    return undefined
  }

  /** A subscriber of the subject that all nodes share. */
  #anyOf({ first, way: { cluster, random } }: Asking): string {
    const up = [...cluster.nodes].filter(([, { core }]) => core !== undefined).map(([id]) => id)
    return up.length === 0 ? first : random.pick(up)
  }

  /** Not in a healed cluster, and few of one request: no answer is then the cluster's fault. */
  #isLost(asking: Asking): boolean {
    const { answerLoss, cluster: { healedAt, kernel }, random } = asking.way
    const isLost = kernel.now < healedAt && asking.losses < lossesMax && random.chance(answerLoss)
    if (!isLost) return false
    asking.losses++
    asking.trace.isDisturbed = true
    return true
  }

  #hear(
    to: { readonly number: number; readonly attempt: number },
    outcome: Answer | StoreError,
    sender: Sender | undefined
  ): void {
    if (sender !== undefined) this.#marks.learn(sender)
    this.#pending.answered(to.number)
    const remote = this.#pending.get(to.number)
    if (remote === undefined) return
    if (outcome._tag !== "Answer") return remote.answer(outcome, to.attempt)
    remote.answer({ ...outcome, values: outcome.values.map(CanonicalJson.decode) }, to.attempt)
  }
}

/** All nodes, from the one of a way on. */
const nodesFrom = ({ cluster, node }: Pick<Way, "cluster" | "node">): ReadonlyArray<NodeId> => {
  const nodes = [...cluster.nodes.keys()]
  const at = nodes.indexOf(node)
  return [...nodes.slice(at), ...nodes.slice(0, at)].map((name) => NodeId.make(name))
}

const notHere = () =>
  new NoAnswer({ reason: "simulated sessions do not ask this", mayHaveApplied: false })
