/**
 * Lends tests every way to a store: as Effects and as Promises, in the process of a node and over
 * NATS. All of them as Promises, so that one test serves all.
 */
import * as Effect from "effect/Effect"
import type { Backend } from "../../src/client/Backend.ts"
import { type EverwriteService, makeClient } from "../../src/client/Everwrite.ts"
import type { PromiseHandleOf } from "../../src/client/Handle.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import * as Task from "../../src/client/Task.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { clusterName, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

export interface WayToStore {
  readonly bucket: <B extends Any>(bucket: B) => PromiseHandleOf<B>
  readonly session: () => Promise<WayToStore>
}

/** The same methods, each effect run. */
const run = (handle: any): any =>
  typeof handle === "function"
    ? (...args: ReadonlyArray<unknown>) => Effect.runPromise(handle(...args))
    : Object.fromEntries(Object.entries(handle).map(([name, inner]) => [name, run(inner)]))

const effects = (service: EverwriteService): WayToStore => ({
  bucket: (bucket) => run(service.bucket(bucket)),
  session: async () => effects(await Effect.runPromise(service.session))
})

type Open = (bucket: Any) => any

const storeOf = (open: Open, openSession: () => Open): WayToStore => ({
  bucket: (bucket) => open(bucket).it,
  session: async () => {
    const opened = openSession()
    return storeOf(opened, () => opened)
  }
})

const promises = (backend: Backend): WayToStore => {
  const dbOf = (bucket: Any) => makeDb({ it: bucket }, backend, async () => undefined)
  return storeOf(dbOf, () => {
    // A session goes over all buckets of one db; here each test uses it for one.
    const sessions = new Map<string, any>()
    return (bucket) => {
      const session = sessions.get(bucket.name) ?? dbOf(bucket).session()
      sessions.set(bucket.name, session)
      return session
    }
  })
}

export const remote = async (cluster: MemoryCluster): Promise<NatsBackend> => {
  const backend = new NatsBackend({
    runtime: liveRuntime,
    transport: cluster.connect(),
    cluster: clusterName
  })
  await Task.toPromise(backend.ready)
  return backend
}

/** Every way, named; each is opened for the cluster of the test at hand. */
export const ways: ReadonlyArray<
  readonly [name: string, open: (cluster: MemoryCluster) => Promise<WayToStore>]
> = [
  ["Effects in process", async ({ backends }) => effects(makeClient(backends[0]!))],
  ["Promises in process", async ({ backends }) => promises(backends[0]!)],
  ["Effects over NATS", async (cluster) => effects(makeClient(await remote(cluster)))],
  ["Promises over NATS", async (cluster) => promises(await remote(cluster))]
]
