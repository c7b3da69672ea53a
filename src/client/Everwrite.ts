/**
 * Offers buckets to Effect programs: a service whose layers say where the store is, in this
 * process or across NATS.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { invariant } from "../core/Invariant.ts"
import { type ClientLimits, type PresetName, presets } from "../core/model/Limits.ts"
import type { ClusterName } from "../core/model/Names.ts"
import { EverwriteError, type StoreError } from "../core/model/StoreError.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Warn } from "../transport/NatsTransport.ts"
import type { TransportUnavailable } from "../transport/Transport.ts"
import type { Backend } from "./Backend.ts"
import { type ConnectChoices, type NatsWay, open } from "./Connecting.ts"
import type { Defaults, HandleOf, ReadOptions } from "./Handle.ts"
import { makeHandle } from "./MakeHandle.ts"
import { type AskedBuckets, type ReadResults, readResults } from "./ManyBuckets.ts"
import { Requester } from "./Requester.ts"
import * as Session from "./Session.ts"
import * as Task from "./Task.ts"

export interface EverwriteService {
  /** The typed handle to a bucket; make it once and keep it. */
  readonly bucket: <B extends Any>(bucket: B) => HandleOf<B>
  /**
   * Many documents of several buckets, by the keys asked of each, in their order. Each is read by
   * itself: one that cannot be read is a failed `Result`, and the others are there all the same.
   */
  readonly many: <B extends Readonly<Record<string, Any>>>(
    asked: AskedBuckets<B>,
    options?: ReadOptions
  ) => Effect.Effect<ReadResults<B>>
  /**
   * The same store for one user's session: its reads never go back behind what it has read and
   * written (read your writes, monotonic reads), or fail with `ContextNotCovered`, to be retried.
   */
  readonly session: Effect.Effect<EverwriteService>
}

const serviceOf = (requester: Requester): EverwriteService => ({
  bucket: (bucket) => makeHandle(bucket, requester, Task.toEffect),
  many: (asked, options) => Task.toEffect(readResults(asked, requester, options)),
  session: Effect.sync(() => serviceOf(requester.inSession()))
})

/** A client on any backend. */
export const makeClient = (backend: Backend, limits?: ClientLimits): EverwriteService =>
  serviceOf(new Requester(backend, Session.none, limits))

/** A client that fails each call with `Closed` once its scope has ended. */
export const scopedClient = (
  backend: Backend,
  limits?: ClientLimits,
  defaults?: Defaults
): Effect.Effect<EverwriteService, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Requester(backend, Session.none, limits, undefined, defaults)),
      (requester) => Effect.sync(() => requester.close())
    ),
    serviceOf
  )

export type LayerNatsOptions = NatsWay & Omit<ConnectChoices, "signal"> & {
  readonly cluster: ClusterName
  readonly preset?: PresetName
  /** Those that must mean the same on the nodes: `BucketMismatch` where one does not. */
  readonly buckets?: ReadonlyArray<Any>
}

const connectFailure = (error: unknown): TransportUnavailable | StoreError => {
  const failure: any = error
  invariant(error instanceof EverwriteError, `connecting fails in its own ways, not by ${failure}`)
  return failure
}

export class Everwrite
  extends Context.Service<Everwrite, EverwriteService>()("everwrite/client/Everwrite")
{
  /** The handle to a bucket of the store that the program runs with. */
  static bucket<B extends Any>(bucket: B): Effect.Effect<HandleOf<B>, never, Everwrite> {
    return Effect.map(Everwrite, (store) => store.bucket(bucket))
  }

  /**
   * Many documents of several buckets: `Everwrite.many({ people: [profiles, ["ada"]] })`. One that
   * cannot be read is a failed `Result`, and costs no other.
   */
  static many<B extends Readonly<Record<string, Any>>>(
    asked: AskedBuckets<B>,
    options?: ReadOptions
  ): Effect.Effect<ReadResults<B>, never, Everwrite> {
    return Effect.flatMap(Everwrite, (store) => store.many(asked, options))
  }

  /** Runs an effect with a store of its own session. */
  static inSession<A, E, R>(
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, Everwrite | Exclude<R, Everwrite>> {
    return Effect.flatMap(
      Everwrite,
      (store) =>
        Effect.flatMap(
          store.session,
          (session) => Effect.provideService(effect, Everwrite, session)
        )
    )
  }
}

/** The store on any backend. */
export const layerBackend = (backend: Backend): Layer.Layer<Everwrite> =>
  Layer.effect(Everwrite, scopedClient(backend))

/** A thin client of a cluster over NATS. */
export const layerNats = (
  options: LayerNatsOptions & { readonly runtime: Runtime }
): Layer.Layer<Everwrite, TransportUnavailable | StoreError> => {
  const { buckets = [], defaults, preset = "lan" } = options
  const { client: limits, nats } = presets[preset]
  const connect = (warn: Warn, signal: AbortSignal) =>
    open({ ...options, limits, nats, way: options, buckets, warn, signal })
  return Layer.effect(
    Everwrite,
    Effect.gen(function*() {
      const run = Effect.runForkWith(yield* Effect.context())
      const warn: Warn = (text) => void run(Effect.logWarning(text))
      const { backend } = yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: (signal) => connect(warn, signal),
          catch: (error) => connectFailure(error)
        }),
        ({ close }) => Effect.promise(close),
        { interruptible: true }
      )
      return yield* scopedClient(backend, limits, defaults)
    }).pipe(Effect.withSpan("everwrite.nats.connect"))
  )
}
