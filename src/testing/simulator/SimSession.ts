/**
 * Plays one client session: its operations, one after the other, each at its time or when the one
 * before has ended, and their outcomes.
 */
import { rethrow } from "../../client/Task.ts"
import { Requester } from "../../client/Requester.ts"
import * as Session from "../../client/Session.ts"
import type { BackendAnswer } from "../../client/Backend.ts"
import * as CausalContext from "../../core/clock/CausalContext.ts"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import { lan } from "../../core/model/Limits.ts"
import type { StoreError } from "../../core/model/StoreError.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import { keepsSiblings } from "../../core/strategy/Strategies.ts"
import { invariant } from "../../core/Invariant.ts"
import { judgeFailure, judgeRefusal } from "./AvailabilityJudge.ts"
import type { Event, Outcome, Shown } from "./History.ts"
import { LastReads } from "./LastReads.ts"
import type { AnyEntry } from "./Operate.ts"
import { documentNameOf, isWrite, type Plan, type PlannedOperation } from "./Plan.ts"
import { type Client, ownScenario } from "./Scenario.ts"
import { stream } from "./SeededRandom.ts"
import { noTrace, noWay, type RequestTrace, SimBackend, type Way } from "./SimBackend.ts"
import type { Named, SimCluster } from "./SimCluster.ts"

/** JSON of the shown view: siblings as a list, one value where the bucket makes one of them. */
const jsonOf = ({ code: { merge }, definition }: Any, values: ReadonlyArray<unknown>): unknown => {
  if (merge === undefined) return keepsSiblings(definition.strategy) ? values : values[0]
  if (values.length === 0) return undefined
  return CanonicalJson.decode(merge(values.map(CanonicalJson.encode)))
}

/** An answer as checkers see it, with its context opened. */
export const shownOf = (cluster: SimCluster, document: Named, answer: BackendAnswer): Shown => {
  const bucket = cluster.bucket(document.bucket)
  const context = CausalContext.decode(answer.context, {
    bucket: bucket.name,
    key: cluster.keyOf(document),
    cluster: cluster.cluster,
    keys: cluster.keys
  })
  invariant(typeof context !== "string", "an answer's context is one")
  const { vector, stamp } = context
  return { value: jsonOf(bucket, answer.values), vector, stamp }
}

/** Errors that say that nothing was changed. */
const refusals: ReadonlySet<string> = new Set([
  "ContextTooOld",
  "ContextNotCovered",
  "DocumentTooLarge",
  "NodeUnavailable",
  "NodeUnwritable",
  "Overloaded"
])

const outcomeOf = (operation: PlannedOperation, error: StoreError): Outcome => {
  if (!isWrite(operation) || refusals.has(error._tag)) return "fail"
  const mayHaveApplied = "mayHaveApplied" in error ? error.mayHaveApplied : true
  return mayHaveApplied ? "info" : "fail"
}

/** A client's clock decides nothing, so it may be off by minutes and years. */
const clocksMillis = [0, 0, -11 * 60_000, 9 * 60_000, -3e11, 3e11]
/** Of all writes; an application's checkers know no write that may count twice. */
const namedShare = 0.1
const namedAtMax = 3
const applyShare = 0.05
const plentyOfNames = 1_000

/** The judgements of all answers of one operation. */
const judged = ({ answers }: RequestTrace): Pick<Event, "unwritten" | "lost"> => {
  const unwritten = answers.flatMap(({ judgement }) => judgement.unwritten)
  const told = answers.flatMap(({ judgement: { lost } }) => (lost === undefined ? [] : [lost]))
  if (told.length === 0) return { unwritten }
  const lost = {
    dots: told.flatMap(({ dots }) => dots),
    held: told.flatMap(({ held }) => held)
  }
  return { unwritten, lost }
}

interface Kept {
  readonly entry: AnyEntry
  readonly shown: Shown
}

export interface SimSessionOptions {
  readonly cluster: SimCluster
  readonly plan: Plan
  readonly number: number
  readonly operations: ReadonlyArray<PlannedOperation>
  /** When the time of the plan begins. */
  readonly startAt: number
  readonly ended: (event: Event) => void
  readonly unavailable: (what: string) => void
}

export class SimSession {
  readonly #options: SimSessionOptions
  readonly #backend: SimBackend
  readonly #requester: Requester
  readonly #client: Client
  readonly #kept = new Map<string, Kept>()
  #next = 0

  constructor(options: SimSessionOptions) {
    const { cluster, number, plan } = options
    this.#options = options
    this.#backend = new SimBackend({
      ...noWay,
      cluster,
      node: "",
      random: stream(plan.seed, `session ${number}`)
    }, stream(plan.seed, `clock ${number}`).pick(clocksMillis))
    const session = plan.guarded.includes(number)
      ? Session.make(lan.client.sessionDocumentsMax)
      : Session.none
    this.#requester = new Requester(this.#backend, session)
    this.#client = cluster.scenario.client(this.#requester)
  }

  get isOver(): boolean {
    return this.#next > this.#options.operations.length
  }

  /** Does the next operation when its time has come. */
  proceed(): void {
    const { cluster: { kernel, outside }, operations, startAt } = this.#options
    const operation = operations[this.#next++]
    if (operation === undefined) return
    kernel.at(outside, startAt + operation.atMillis, () => this.#do(operation))
  }

  /** Reads every document once more, where the session never goes back. */
  readLast(): LastReads {
    const { cluster, number, operations, plan, unavailable } = this.#options
    const guarded = plan.guarded.includes(number) ? operations : []
    const documents = new Map(guarded.map((operation) => [documentNameOf(operation), operation]))
    let trace = noTrace()
    let invokedAt = 0
    const reads = new LastReads({
      cluster,
      requester: this.#requester,
      session: number,
      documents: [...documents.values()],
      begin: (operation) => {
        trace = noTrace()
        invokedAt = cluster.kernel.now
        this.#backend.way = { ...this.#wayOf(operation), answerLoss: 0 }
        this.#backend.trace = trace
      },
      ended: (operation) => {
        const done = { operation, invokedAt, error: undefined, trace }
        this.#end({ ...done, outcome: "ok", kept: undefined, entry: undefined })
      },
      refused: (operation, error) => {
        // Nobody can tell what a damaged row has.
        if (!cluster.isDamaged(operation)) unavailable(`o${operation.id}: ${error.message}`)
      }
    })
    reads.start()
    return reads
  }

  #do(operation: PlannedOperation): void {
    const { cluster, unavailable } = this.#options
    const { node } = operation
    const trace = noTrace()
    this.#backend.way = this.#wayOf(operation)
    this.#backend.trace = trace
    const invokedAt = cluster.kernel.now
    cluster.story?.invoked(operation)
    const calm = cluster.node(node).calm
    const kept = this.#kept.get(documentNameOf(operation))
    const task = this.#client(operation, kept?.entry)
    const end = (entry: AnyEntry | undefined, error: StoreError | undefined) => {
      const outcome = error === undefined ? "ok" : outcomeOf(operation, error)
      const failed = error === undefined
        ? undefined
        : judgeFailure(cluster, { operation, invokedAt, calm, error, trace })
      if (failed !== undefined) unavailable(failed)
      this.#end({ operation, invokedAt, outcome, error, trace, kept, entry })
    }
    task((entry) => end(entry, undefined), (error) => end(undefined, error), rethrow)
  }

  #wayOf(operation: PlannedOperation): Way {
    const { cluster, plan, unavailable } = this.#options
    const { answerLoss, lateShare = 0, limits, seed } = plan
    const { id, node } = operation
    const random = stream(seed, `operation ${id}`)
    const naming = stream(seed, `naming ${id}`)
    const isNamed = naming.chance(namedShare)
    const namedAt = naming.integer(1, namedAtMax)
    const applies = naming.chance(applyShare)
    // A name is recognised as long as it is kept: where few are, its user was promised no more.
    const keepsNames = (limits?.operationIdsMax ?? Infinity) >= plentyOfNames
    return {
      cluster,
      node,
      random,
      answerLoss,
      lateShare,
      operation: id,
      namedAt: isNamed && keepsNames ? namedAt : 0,
      ifUnknown: applies && !isNamed && cluster.scenario === ownScenario ? "apply" : "fail",
      sendingsPerNode: stream(seed, "client").integer(1, 3),
      staleMarksPerNode: stream(seed, "stale marks").integer(2, 4),
      refused: (refusal) => {
        const wrongly = judgeRefusal(cluster, operation, refusal)
        if (wrongly !== undefined) unavailable(wrongly)
      }
    }
  }

  #end(
    done: {
      readonly operation: PlannedOperation
      readonly invokedAt: number
      readonly outcome: Outcome
      readonly error: StoreError | undefined
      readonly trace: RequestTrace
      readonly kept: Kept | undefined
      readonly entry: AnyEntry | undefined
    }
  ): void {
    const { cluster, ended } = this.#options
    const { entry, error, invokedAt, kept, operation, outcome, trace } = done
    const shown = trace.answers.map(({ answer }) => shownOf(cluster, operation, answer))
    const { action } = operation
    const brings = "seen" in action ? action.seen : "nothing"
    const read = trace.answers.findIndex((given) => given.action === "read")
    const isUnshown = trace.answers.at(-1)?.answer.unshown === true
    const result = outcome === "ok" && !isUnshown ? shown.at(-1) : undefined
    const event: Event = {
      operation,
      invokedAt,
      endedAt: cluster.kernel.now,
      outcome,
      error: error === undefined ? undefined : `${error._tag}: ${error.message}`,
      saw: !isWrite(operation)
        ? undefined
        : read >= 0
        ? shown[read]
        : brings === "kept"
        ? kept?.shown
        : undefined,
      result,
      sendings: trace.sendings,
      timesMax: trace.timesMax,
      isNamed: trace.isNamed,
      answeredBy: trace.answeredBy,
      ...judged(trace),
      clockErrorMillis: cluster.noteClocks()
    }
    cluster.story?.ended(event)
    ended(event)
    // Only now and then, so that the kept entry grows old.
    if (entry !== undefined && result !== undefined) {
      const name = documentNameOf(operation)
      const isOld = kept === undefined || operation.id % 5 === 0
      if (isOld) this.#kept.set(name, { entry, shown: result })
    }
    this.proceed()
  }
}
