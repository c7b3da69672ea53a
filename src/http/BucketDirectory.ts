/**
 * Asks the backend which buckets there are, and remembers the answer for a moment: a request can be
 * made only when the form of the bucket's keys and its operations are known.
 */
import * as Effect from "effect/Effect"
import type { BucketBody, ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type {
  Backend,
  BackendAnswer,
  BackendExplain,
  BackendList,
  BackendRequest
} from "../client/Backend.ts"
import type { HttpLimits } from "../core/model/Limits.ts"
import { anonymous, type Principal } from "../core/model/Principal.ts"
import { type StoreError, UnknownBucket } from "../core/model/StoreError.ts"

export type DirectoryLimits = Pick<
  HttpLimits,
  "descriptionMillis" | "bodyBytesMax" | "contextHeaderBytesMax"
>

/** HTTP asks for no credentials yet. */
const principalOfCaller = (): Principal => anonymous

/** The timeout of a query as requests name it. */
export const timed = (timeout: number | undefined): { readonly timeoutMillis?: number } =>
  timeout === undefined ? {} : { timeoutMillis: timeout }

/** The result of a callback, as an effect. */
const ask = <A>(
  question: (respond: (outcome: A | StoreError) => void) => void
): Effect.Effect<A, StoreError> =>
  Effect.callback((resume) =>
    question((outcome) =>
      resume(outcome instanceof Error ? Effect.fail(outcome) : Effect.succeed(outcome))
    )
  )

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

  request(request: BackendRequest): Effect.Effect<BackendAnswer, StoreError> {
    return ask((respond) =>
      this.backend.request({ ...request, principal: principalOfCaller() }, respond)
    )
  }

  explain(request: BackendExplain): Effect.Effect<Explanation, StoreError> {
    return ask((respond) =>
      this.backend.explain({ ...request, principal: principalOfCaller() }, respond)
    )
  }

  list(request: BackendList): Effect.Effect<KeyPage, StoreError> {
    return ask((respond) =>
      this.backend.list({ ...request, principal: principalOfCaller() }, respond)
    )
  }
}
