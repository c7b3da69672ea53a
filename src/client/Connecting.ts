/**
 * Opens a client's way to a cluster over NATS: on a connection of its own or on the program's, once
 * or for as long as the program will wait, until a node has answered.
 */
import * as Duration from "effect/Duration"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { invariant } from "../core/Invariant.ts"
import type { ClientLimits, NatsLimits } from "../core/model/Limits.ts"
import type { ClusterName } from "../core/model/Names.ts"
import { differences } from "../core/model/DefinitionDifference.ts"
import { BucketMismatch, Cancelled, NoAnswer } from "../core/model/StoreError.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { NatsOptions } from "../transport/NatsOptions.ts"
import { connectNats, type NatsTransport, type Warn } from "../transport/NatsTransport.ts"
import { type NatsConnection, shareNats } from "../transport/SharedNats.ts"
import { ToldOnce } from "../transport/ToldOnce.ts"
import { TransportUnavailable } from "../transport/Transport.ts"
import type { Defaults } from "./Handle.ts"
import { NatsBackend } from "./NatsBackend.ts"
import * as Task from "./Task.ts"

/** Where the broker is, or a connection to it that the program has already. */
export type NatsWay =
  | (NatsOptions & { readonly connection?: never })
  | {
    /** A connection of the program's own, which stays open when the db is closed. */
    readonly connection: NatsConnection
    readonly servers?: never
  }

export interface ConnectChoices {
  /**
   * How long to wait for the broker, for a first answer of the cluster, and for it to form: a
   * service may start before them. Without it, connecting fails at once where nobody answers.
   */
  readonly wait?: Duration.Input
  /** Ends connecting, in `Cancelled`, when it is aborted. */
  readonly signal?: AbortSignal
  /** What requests ask for that ask for nothing themselves. */
  readonly defaults?: Defaults
  /** Told each time that the connection is lost or is back. */
  readonly onStatus?: (status: ClientStatus) => void
}

export interface ClientStatus {
  /** `reconnecting` while there is no connection to a broker; requests meanwhile may fail. */
  readonly connection: "connected" | "reconnecting" | "closed"
  /** The broker, for people. */
  readonly address: string
  /** The nodes of the cluster, as it described itself when the client connected. */
  readonly nodes: ReadonlyArray<string>
}

export interface Opened {
  readonly backend: NatsBackend
  readonly status: () => ClientStatus
  readonly close: () => Promise<void>
}

export interface OpenOptions extends ConnectChoices {
  readonly runtime: Runtime
  readonly cluster: ClusterName
  readonly limits: ClientLimits
  readonly nats: NatsLimits
  readonly way: NatsWay
  /** Told of refused subjects and lost permissions; the process's own warnings unless given. */
  readonly warn?: Warn
  readonly buckets: Iterable<Any>
}

const processWarning: Warn = (text) => process.emitWarning(text)

const transportOf = async (options: OpenOptions): Promise<NatsTransport> => {
  const { nats, warn: tell = processWarning, way } = options
  const told = new ToldOnce(tell, nats)
  const warn: Warn = (text) => told.tell(text)
  const transport = way.connection === undefined
    ? await connectNats({ ...nats, ...way }, warn)
    : shareNats(way.connection, nats, warn)
  transport.onStatus(() => told.forget())
  return transport
}

/** Whether time may mend it. */
const isPassing = (error: unknown): boolean =>
  error instanceof NoAnswer
  || (error instanceof TransportUnavailable && error.isDenied !== true)

const sleep = ({ runtime, nats, signal }: OpenOptions): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      stop()
      signal?.removeEventListener("abort", end)
      resolve()
    }
    const stop = runtime.after(nats.reconnectWaitMillis, end)
    signal?.addEventListener("abort", end, { once: true })
  })

/** The same, with the end of the wait on the monotonic clock. */
interface Waiting extends OpenOptions {
  readonly until: number
}

/** Tries again as long as the program will wait. */
const retrying = async <A>(options: Waiting, attempt: () => Promise<A>): Promise<A> => {
  const { runtime, signal, until } = options
  for (;;) {
    if (signal?.aborted === true) throw new Cancelled({ mayHaveApplied: false })
    try {
      return await attempt()
    } catch (error) {
      if (!isPassing(error) || runtime.elapsed() >= until) throw error
      await sleep(options)
    }
  }
}

/** Waits for a node that answers, and that knows that its cluster has formed. */
const answered = async (options: Waiting, backend: NatsBackend): Promise<void> => {
  for (;;) {
    await retrying(options, () => Task.toPromise(backend.ready))
    const { formation } = backend.description ?? {}
    if (formation?.formed !== false || options.runtime.elapsed() >= options.until) return
    await sleep(options)
  }
}

/** Rejects when the signal is aborted, whatever is under way. */
const orAborted = <A>(signal: AbortSignal | undefined, work: Promise<A>): Promise<A> =>
  signal === undefined ? work : new Promise((resolve, reject) => {
    const abort = () => reject(new Cancelled({ mayHaveApplied: false }))
    if (signal.aborted) abort()
    signal.addEventListener("abort", abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort))
  })

/** Each bucket means the same on the node that answers, as far as it knows the bucket. */
const check = ({ buckets }: ClusterDescription, declared: Iterable<Any>): void => {
  const known = new Map(buckets.map((bucket) => [bucket.definition.name, bucket]))
  for (const { definition, fingerprint: actual } of declared) {
    const there = known.get(definition.name)
    if (there === undefined || there.fingerprint === actual) continue
    const differs = differences(definition, there.definition)
    const mismatch = { bucket: definition.name, expected: there.fingerprint, actual }
    throw new BucketMismatch(differs.length === 0 ? mismatch : { ...mismatch, differs })
  }
}

/**
 * Connects, and waits for the first answer of a node.
 *
 * **Fails with** `TransportUnavailable`, `NoAnswer`, `BucketMismatch`, `AccessDenied`, `Cancelled`.
 */
export const open = async (options: OpenOptions): Promise<Opened> => {
  const { buckets, cluster, limits, onStatus, runtime, signal, wait = 0 } = options
  const waiting = { ...options, until: runtime.elapsed() + Duration.toMillis(wait) }
  const connecting = retrying(waiting, () => transportOf(options))
  const transport = await orAborted(signal, connecting).catch((error: unknown) => {
    // A connection that comes after all is not kept.
    void connecting.then((late) => late.close(), () => undefined)
    throw error
  })
  const backend = new NatsBackend({ runtime, transport, cluster, limits })
  let isClosed = false
  const status = (): ClientStatus => ({
    connection: isClosed ? "closed" : transport.connected() ? "connected" : "reconnecting",
    address: transport.address(),
    nodes: (backend.description?.members ?? []).map(({ id }) => id)
  })
  const told = onStatus === undefined ? undefined : transport.onStatus(() => onStatus(status()))
  const close = async (): Promise<void> => {
    isClosed = true
    told?.close()
    backend.close()
    await transport.close()
  }
  try {
    await orAborted(signal, answered(waiting, backend))
    const { description } = backend
    invariant(description !== undefined, "a cluster that has answered is described")
    check(description, buckets)
  } catch (error) {
    await close()
    throw error
  }
  return { backend, status, close }
}
