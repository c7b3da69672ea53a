/**
 * Asks the backend which buckets there are, and remembers the answer for a moment: a request can be
 * made only when the form of the bucket's keys and its operations are known.
 */
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { BucketBody, ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { HintReport } from "../../schemas/HintReport.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { SyncReport } from "../../schemas/SyncReport.ts"
import type {
  Backend,
  BackendAnswer,
  BackendExplain,
  BackendList,
  BackendRequest,
  BackendStatus,
  BackendSync
} from "../client/Backend.ts"
import { questionsBy } from "../client/NodeQuestions.ts"
import type { Cancel } from "../client/Task.ts"
import type { HttpLimits } from "../core/model/Limits.ts"
import { anonymous, type Principal } from "../core/model/Principal.ts"
import { type StoreError, UnknownBucket } from "../core/model/StoreError.ts"
import * as TraceParent from "../core/model/TraceParent.ts"

export type DirectoryLimits = Pick<
  HttpLimits,
  "descriptionMillis" | "bodyBytesMax" | "contextHeaderBytesMax"
>

/** What an HTTP request says of its sender: its span. It names no user yet. */
interface Caller {
  readonly principal: Principal
  readonly trace: TraceParent.TraceParent | undefined
}

const caller = Effect.map(
  HttpServerRequest,
  ({ headers }): Caller => ({
    principal: anonymous,
    trace: TraceParent.from(headers["traceparent"])
  })
)

type Asked<A> = Effect.Effect<A, StoreError, HttpServerRequest>

/** The timeout of a query as requests name it. */
export const timed = (timeout: number | undefined): { readonly timeoutMillis?: number } =>
  timeout === undefined ? {} : { timeoutMillis: timeout }

/** The result of a callback, as an effect, which cancels its question where it is interrupted. */
const ask = <A>(
  question: (respond: (outcome: A | StoreError) => void) => Cancel | void
): Effect.Effect<A, StoreError> =>
  Effect.callback((resume) => {
    const cancel = question((outcome) =>
      resume(outcome instanceof Error ? Effect.fail(outcome) : Effect.succeed(outcome))
    )
    return cancel === undefined ? undefined : Effect.sync(cancel)
  })

export class BucketDirectory {
  readonly backend: Backend
  readonly limits: DirectoryLimits
  #known: { readonly description: ClusterDescription; readonly at: number } | undefined

  constructor(backend: Backend, limits: DirectoryLimits) {
    this.backend = backend
    this.limits = limits
  }

  readonly description: Effect.Effect<ClusterDescription, StoreError> = Effect.suspend(() => {
    const now = this.backend.runtime.elapsed()
    if (this.#known !== undefined && now - this.#known.at < this.limits.descriptionMillis) {
      return Effect.succeed(this.#known.description)
    }
    return ask(this.backend.describe).pipe(
      Effect.tap((description) => Effect.sync(() => void (this.#known = { description, at: now })))
    )
  })

  bucket(name: string): Effect.Effect<BucketBody, StoreError> {
    return Effect.flatMap(this.description, ({ buckets }) => {
      const bucket = buckets.find(({ definition }) => definition.name === name)
      return bucket === undefined
        ? Effect.fail(new UnknownBucket({ bucket: name }))
        : Effect.succeed(bucket)
    })
  }

  /** Fails where a request would be refused whatever it asks for. */
  readonly admission: Effect.Effect<void, StoreError> = Effect.suspend(() => {
    const error = this.backend.overload?.()
    return error === undefined ? Effect.void : Effect.fail(error)
  })

  request(request: BackendRequest): Asked<BackendAnswer> {
    return Effect.flatMap(
      caller,
      (from) => ask((respond) => this.backend.request({ ...request, ...from }, respond))
    )
  }

  explain(request: BackendExplain): Asked<Explanation> {
    return Effect.flatMap(
      caller,
      (from) => ask((respond) => this.backend.explain({ ...request, ...from }, respond))
    )
  }

  sync(request: BackendSync): Effect.Effect<SyncReport, StoreError> {
    return ask((respond) => questionsBy(this.backend).sync(request, respond))
  }

  status(request: BackendStatus): Effect.Effect<ClusterStatus, StoreError> {
    return ask((respond) => questionsBy(this.backend).status(request, respond))
  }

  hints(): Effect.Effect<HintReport, StoreError> {
    return ask(questionsBy(this.backend).hints)
  }

  list(request: BackendList): Asked<KeyPage> {
    return Effect.flatMap(
      caller,
      (from) => ask((respond) => this.backend.list({ ...request, ...from }, respond))
    )
  }
}
