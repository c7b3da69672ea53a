/**
 * Takes one session's requests to the node that it asks, and waits for the answer as a remote
 * client does: it sends a lost request again, to the same node and under the same id, and in the
 * end says that the outcome is unknown.
 */
import type {
  Backend,
  BackendAnswer,
  BackendRequest,
  BackendRespond
} from "../../client/Backend.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import { anonymous } from "../../core/model/Principal.ts"
import { isPassing, NoAnswer, type StoreError } from "../../core/model/StoreError.ts"
import type { Answer } from "../../coordinator/Request.ts"
import type { Runtime } from "../../core/Runtime.ts"
import { judgeAnswer, type Judgement } from "./AnswerJudge.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import type { SimCluster } from "./SimCluster.ts"
import type { SimNode } from "./SimNode.ts"
import { epochMillis } from "./SimRuntime.ts"

/** One operation's way to its node. */
export interface Way {
  readonly cluster: SimCluster
  readonly node: string
  /** Of this operation alone, so that leaving out another one changes nothing here. */
  readonly random: SeededRandom
  readonly answerLoss: number
  /** How often a request is sent before the client waits no more. */
  readonly sendingsMax: number
  readonly operation: number
}

/** The way of a request outside the workload. */
export const noWay = { answerLoss: 0, sendingsMax: 3, operation: 0 }

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
  /** How often the last request was sent. */
  sendings: number
}

export const emptyTrace = (): RequestTrace => ({
  answers: [],
  refusals: [],
  sendings: 0
})

const timeoutMillis = 1_500
const firstPauseMillis = 400
class Asking {
  readonly #way: Way
  readonly #trace: RequestTrace
  readonly #request: BackendRequest
  readonly #respond: BackendRespond
  readonly #process: SimNode
  readonly #judge: (answer: Answer) => Judgement
  #ended = false
  #attempts = 0

  constructor(
    options: {
      readonly way: Way
      readonly trace: RequestTrace
      readonly request: BackendRequest
      readonly respond: BackendRespond
    }
  ) {
    this.#way = options.way
    this.#trace = options.trace
    this.#request = options.request
    this.#respond = options.respond
    this.#trace.sendings = 0
    const { cluster, node, random } = this.#way
    this.#process = cluster.node(node).process(random)
    this.#judge = judgeAnswer(cluster, this.#request)
  }

  start(): void {
    const { cluster: { kernel, outside } } = this.#way
    kernel.at(outside, kernel.now + timeoutMillis, () => this.#giveUp("no answer in time"))
    this.#send()
  }

  #send(): void {
    if (this.#ended) return
    const { cluster: { kernel, outside }, random, sendingsMax } = this.#way
    const pause = firstPauseMillis * 2 ** this.#attempts++
    if (this.#ask()) this.#trace.sendings++
    // The subject had no subscriber, so no node has carried it out.
    else if (this.#trace.sendings === 0 && random.chance(0.5)) return this.#giveUp("no node there")
    if (this.#attempts >= sendingsMax) return
    kernel.at(outside, kernel.now + pause, () => this.#send())
  }

  #ask(): boolean {
    const { cluster: { kernel, outside } } = this.#way
    const request = { ...this.#request, principal: anonymous, forwarded: false }
    return this.#process.ask(({ coordinator }) =>
      coordinator.handle(request, {
        deliver: (outcome) => {
          if (this.#isLost()) return
          const hear = outcome._tag === "Answer"
            ? this.#hearing(outcome)
            : () => this.#fail(outcome)
          kernel.soon(outside, () => {
            if (!this.#ended) hear()
          })
        }
      })
    )
  }

  /** Not to the last sending, nor in a healed cluster: no answer is then the cluster's fault. */
  #isLost(): boolean {
    const { answerLoss, cluster: { healedAt, kernel }, random, sendingsMax } = this.#way
    return kernel.now < healedAt && this.#attempts < sendingsMax && random.chance(answerLoss)
  }

  /** Judges the answer now, and gives it to the client later. */
  #hearing(outcome: Answer): () => void {
    const judgement = this.#judge(outcome)
    return () => {
      this.#ended = true
      const answer = { ...outcome, values: outcome.values.map(CanonicalJson.decode) }
      this.#trace.answers.push({ action: this.#request.action, answer, judgement })
      this.#respond(answer)
    }
  }

  #fail(error: StoreError): void {
    this.#trace.refusals.push(error._tag)
    // The refusal of this sending says nothing about an earlier one of the same write.
    const isWrite = this.#request.action === "write"
    if (isWrite && this.#trace.sendings > 1 && isPassing(error)) return this.#giveUp(error.message)
    this.#ended = true
    this.#respond(error)
  }

  #giveUp(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    const mayHaveApplied = this.#request.action === "write" && this.#trace.sendings > 0
    this.#respond(new NoAnswer({ reason, mayHaveApplied }))
  }
}

/** A session's backend; `way` and `trace` are set anew for each operation. */
export class SimBackend implements Backend {
  way: Way
  trace: RequestTrace = emptyTrace()
  readonly runtime: Runtime

  constructor(way: Way) {
    this.way = way
    const { kernel, outside } = way.cluster
    this.runtime = {
      now: () => epochMillis + kernel.now,
      elapsed: () => kernel.now,
      after: (millis, task) => kernel.at(outside, kernel.now + millis, task),
      endOfTurn: (task) => kernel.soon(outside, task),
      random: way.random.next,
      id: way.random.id,
      mark: () => {}
    }
  }

  readonly request = (request: BackendRequest, respond: BackendRespond): void => {
    const { operationId } = request.body
    const { trace, way } = this
    if (operationId !== undefined) way.cluster.ledger.issued(operationId, way.operation)
    new Asking({ way, trace, request, respond }).start()
  }

  readonly explain: Backend["explain"] = (_request, respond) => respond(notHere())
  readonly list: Backend["list"] = (_request, respond) => respond(notHere())
  readonly describe: Backend["describe"] = (respond) => respond(notHere())
}

const notHere = () =>
  new NoAnswer({ reason: "simulated sessions do not ask this", mayHaveApplied: false })
