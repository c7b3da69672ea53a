/**
 * Offers buckets to programs that use Promises: the same handles, whose methods reject with the
 * typed error itself.
 */
import * as Schema from "effect/Schema"
import {
  type ClientLimits,
  type Preset,
  type PresetName,
  presetNames,
  presets
} from "../core/model/Limits.ts"
import { ClusterName } from "../core/model/Names.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Backend } from "./Backend.ts"
import { type ClientStatus, type ConnectChoices, type NatsWay, open } from "./Connecting.ts"
import type { Defaults, PromiseHandleOf, ReadOptions } from "./Handle.ts"
import { promiseWithCallSite } from "./CallSite.ts"
import { checkBuckets, checkServers } from "./ConnectChecks.ts"
import { type Lift, makeHandle } from "./MakeHandle.ts"
import { type AskedKeys, type ReadMany, readMany } from "./ManyBuckets.ts"
import { Requester } from "./Requester.ts"
import * as Session from "./Session.ts"
import * as Task from "./Task.ts"

/** Buckets by the names under which the program wants them. */
export type BucketMap = Readonly<Record<string, Any>>

/** A handle for each bucket. */
export type Handles<B extends BucketMap> = {
  readonly [Name in keyof B]: PromiseHandleOf<B[Name]>
}

/** Names that a `Db` uses itself. */
type DbReserved = "close" | "many" | "session" | "status"

/** A type literal, of which editors show no arguments over its members. */
export type DbControl<B extends BucketMap> = AsyncDisposable & {
  /** The same buckets for one user's session: its reads never go back. */
  readonly session: () => Db<B>
  /**
   * Many documents of several buckets, by the keys asked of each, in their order. A read that fails
   * is `Failed`, with its error, and the others are there all the same.
   */
  readonly many: <Asked extends AskedKeys<B>>(
    asked: Asked,
    options?: ReadOptions
  ) => Promise<ReadMany<B, Asked>>
  /** Whether there is a connection, to which broker, and the nodes that are known. */
  readonly status: () => ClientStatus
  /**
   * Ends the connection, or the node in this process; of a session, the session alone. Each call
   * from now on fails with `Closed`, and calls under way are settled at once. Calling it again does
   * nothing.
   */
  readonly close: () => Promise<void>
}

export type Db<B extends BucketMap> = Handles<B> & DbControl<B>

/** No bucket may be called what a `Db` itself needs. */
export type NamedWell<B extends BucketMap> = Extract<keyof B, DbReserved> extends never ? B : never

interface DbParts {
  readonly close: () => Promise<void>
  readonly status: () => ClientStatus
  readonly lift: Lift
}

const dbOf = <B extends BucketMap>(
  buckets: B,
  requester: Requester,
  { close, lift, status }: DbParts
): Db<B> => {
  const handles: any = {}
  for (const [name, bucket] of Object.entries(buckets)) {
    handles[name] = makeHandle(bucket, requester, lift)
  }
  return {
    ...handles,
    session: () => {
      const session = requester.inSession()
      return dbOf(buckets, session, { status, lift, close: async () => session.close() })
    },
    many: (asked: AskedKeys<B>, options?: ReadOptions) =>
      lift(readMany(buckets, requester, asked, options)),
    status,
    close,
    [Symbol.asyncDispose]: close
  }
}

export interface DbOptions {
  readonly limits?: ClientLimits | undefined
  readonly defaults?: Defaults | undefined
  /** Connected unless said otherwise. */
  readonly status?: () => ClientStatus
  /** Whether errors show where their call was made. */
  readonly callSites?: boolean | undefined
}

/** Promise handles on any backend. `close` is called once. */
export const makeDb = <B extends BucketMap>(
  buckets: B,
  backend: Backend,
  close: () => Promise<void>,
  { callSites = false, defaults, limits, status }: DbOptions = {}
): Db<B> => {
  checkBuckets(buckets)
  let closing: Promise<void> | undefined
  const requester = new Requester(backend, Session.none, limits, undefined, defaults)
  const usual = (): ClientStatus => ({
    connection: closing === undefined ? "connected" : "closed",
    address: "",
    nodes: []
  })
  const end = () => {
    // A backend knows better which of the calls under way may have been carried out.
    closing ??= close()
    requester.close()
    return closing
  }
  const lift = callSites ? promiseWithCallSite : Task.toPromise
  return dbOf(buckets, requester, { lift, close: end, status: status ?? usual })
}

export type ConnectOptions = NatsWay & ClusterOptions & ConnectChoices

export interface ClusterOptions {
  /** `dev` unless said otherwise. */
  readonly cluster?: string
  /** How far the nodes are away: `development`, `lan` or `wan`; `lan` unless said otherwise. */
  readonly preset?: PresetName
  /**
   * Whether the stack of an error begins with the line that made the call. It costs some
   * microseconds for each call, which a service with many requests feels; off unless said so.
   */
  readonly callSites?: boolean
}

const clusterOf = (name: string): ClusterName => {
  if (Schema.is(ClusterName)(name)) return name
  throw new InvalidRequest({
    setting: "cluster",
    value: name,
    expected: "1 to 64 of a-z, 0-9, _, -"
  })
}

const presetOf = (name: PresetName): Preset => {
  if (presetNames.includes(name)) return presets[name]
  throw new InvalidRequest({
    setting: "preset",
    value: name,
    expected: presetNames.join(", ")
  })
}

/**
 * Connects to a cluster over NATS.
 *
 * **Fails with** `TransportUnavailable` where the broker cannot be reached, `NoAnswer` where no
 * node of the cluster is there, `BucketMismatch` where a node declares a bucket otherwise,
 * `Cancelled` where the signal was aborted.
 */
export const connectWith = async <B extends BucketMap>(
  runtime: Runtime,
  buckets: NamedWell<B>,
  options: ConnectOptions
): Promise<Db<B>> => {
  checkBuckets(buckets)
  checkServers(options)
  const cluster = clusterOf(options.cluster ?? "dev")
  const { client: limits, nats } = presetOf(options.preset ?? "lan")
  const declared = Object.values(buckets)
  const opening = { ...options, runtime, cluster, limits, nats, way: options, buckets: declared }
  const { backend, close, status } = await open(opening)
  return makeDb(buckets, backend, close, {
    limits,
    status,
    defaults: options.defaults,
    callSites: options.callSites
  })
}
