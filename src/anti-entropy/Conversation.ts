/**
 * Carries the questions of one exchange to the other node and its answers back, one at a time, with
 * rests between them while clients' requests take long, and ends the exchange where an answer does
 * not come, or a step throws.
 */
import type {
  AntiEntropyBody,
  Compare,
  Compared,
  Keeping,
  PartitionSum
} from "../../schemas/AntiEntropyMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel } from "../core/Runtime.ts"
import type { ExchangeContext } from "./ExchangeContext.ts"
import type { ExchangeOptions } from "./ExchangeOptions.ts"

export type ConversationOptions = Omit<ExchangeOptions, "outcome">

type Unbound<Question> = Omit<Question, "ring" | "hashKey">

export class Conversation {
  readonly context: ExchangeContext
  readonly #options: ConversationOptions
  #waiting:
    | {
      readonly request: number
      readonly askedAt: number
      readonly answered: (body: AntiEntropyBody) => void
    }
    | undefined
  /** Of the last question: before the next one this node rests, where clients have much to ask. */
  #tookMillis = 0
  #cancel: Cancel = () => {}
  #isOver = false

  constructor(context: ExchangeContext, options: ConversationOptions) {
    this.context = context
    this.#options = options
  }

  get peer(): NodeId {
    return this.#options.peer
  }

  /** Whose documents are compared; empty for all. */
  get bucket(): string {
    return this.#options.bucket
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Takes an answer of the other node; one to an earlier question is passed over. */
  answered(request: number, body: AntiEntropyBody): void {
    const waiting = this.#waiting
    if (waiting?.request !== request) return
    this.#waiting = undefined
    this.#cancel()
    this.#tookMillis = this.context.runtime.elapsed() - waiting.askedAt
    this.carryOut(() => waiting.answered(body))
  }

  /** Takes a step; one that throws ends the exchange, so that the next one begins. */
  carryOut(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.end("an exception")
      throw error
    }
  }

  /** Ends the exchange; with a reason where it ends early. */
  end(failure: string | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    this.#waiting = undefined
    this.#options.done(failure)
  }

  /** Leaves partitions to a later exchange. */
  skip(partitions: number): void {
    this.#options.skipped(partitions)
  }

  ask(body: AntiEntropyBody, answered: (answer: AntiEntropyBody) => void): void {
    const { background, runtime } = this.context
    const rest = background.restMillis(this.#tookMillis, runtime.elapsed())
    this.#tookMillis = 0
    if (rest < 1) return this.#send(body, answered)
    this.after(rest, () => this.#send(body, answered))
  }

  #send(body: AntiEntropyBody, answered: (answer: AntiEntropyBody) => void): void {
    const { runtime, send } = this.context
    const request = this.#options.number()
    this.#waiting = { request, askedAt: runtime.elapsed(), answered }
    this.within("the other node does not answer")
    send(this.peer, { _tag: "AntiEntropy", request, body })
  }

  /** Tells the other node the sums of some partitions, and gets its own where they differ. */
  compare(sums: ReadonlyArray<PartitionSum>, answered: (answer: Compared) => void): void {
    this.#askForSums({ kind: "Compare", bucket: this.bucket, sums }, (answer) => {
      this.#options.told(answer.completeness)
      if (!this.#isOver) answered(answer)
    })
  }

  /** Gets the sums of what the other node keeps of some partitions in place of owners. */
  askKept(partitions: ReadonlyArray<number>, answered: (answer: Compared) => void): void {
    this.#askForSums({ kind: "Keeping", partitions }, answered)
  }

  #askForSums(
    question: Unbound<Compare> | Unbound<Keeping>,
    answered: (answer: Compared) => void
  ): void {
    const { hashKeyId: hashKey, view: { ring: { digest: ring } } } = this.context
    this.ask({ ...question, ring, hashKey }, (answer) => {
      if (answer.kind !== "Compared") return this.end("an answer of another kind")
      if (answer.outcome !== "compared") return this.end(`not compared: ${answer.outcome}`)
      answered(answer)
    })
  }

  /** Ends the exchange with this reason unless it goes on in time. */
  within(reason: string): void {
    this.after(this.context.limits.exchangeAnswerMillis, () => this.end(reason))
  }

  /** Goes on after a time, in place of the last task that was to come. */
  after(millis: number, task: () => void): void {
    this.#cancel()
    this.#cancel = this.context.runtime.after(millis, () => this.carryOut(task))
  }

  /** Goes on when the bytes that were moved fit the rate. */
  moved(bytes: number, next: () => void): void {
    this.#options.moved(bytes)
    const { background, limits: { repairBytesPerSecond }, runtime } = this.context
    const millis = background.pauseMillis(bytes, repairBytesPerSecond, runtime.elapsed())
    if (millis >= 1) return this.after(millis, next)
    this.#cancel()
    this.carryOut(next)
  }
}
