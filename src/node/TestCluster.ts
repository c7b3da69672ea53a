/**
 * Lends an application's own tests a cluster: three nodes and a broker in this process, with faults
 * to try out, and no data left behind.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type BucketMap, connectWith, type Db, type NamedWell } from "../client/Promises.ts"
import { NodeId } from "../core/model/Names.ts"
import { resolveDev, startDev } from "./DevCluster.ts"
import { liveRuntime } from "./LiveRuntime.ts"
import { fromObject } from "./Setting.ts"

export type TestNode = "n1" | "n2" | "n3"

export interface TestCluster<B extends BucketMap> extends AsyncDisposable {
  /** The buckets, over NATS as a service reaches them. */
  readonly db: Db<B>
  /** Where other clients reach the broker, which asks for no user. */
  readonly nats: string
  /** The cluster's name, for these clients. */
  readonly cluster: string
  /** Cuts a node off from the other nodes and from clients on NATS. */
  readonly isolate: (node: TestNode) => void
  /** Ends every isolation. */
  readonly heal: () => void
  /** Ends a node as a crash would; it does nothing where the node has ended. */
  readonly kill: (node: TestNode) => Promise<void>
  /** Starts a killed node on the data that it had on disk. */
  readonly revive: (node: TestNode) => Promise<void>
  /** Ends the cluster and removes its data. */
  readonly stop: () => Promise<void>
}

/**
 * Starts three nodes with these buckets, and connects to them.
 *
 * ```ts
 * await using cluster = await startTestCluster({ carts: Carts })
 * cluster.isolate("n3")
 * await cluster.db.carts.lines.add("ada", "apple", 2)
 * ```
 */
export const startTestCluster = async <const B extends BucketMap>(
  buckets: NamedWell<B>
): Promise<TestCluster<B>> => {
  const dataDir = await mkdtemp(join(tmpdir(), "everwrite-test-cluster-"))
  const scope = Scope.makeUnsafe()
  let stopping: Promise<void> | undefined
  const end = async (): Promise<void> => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await rm(dataDir, { recursive: true, force: true })
  }
  try {
    const own = fromObject({ dataDir, http: false, logLevel: "error" }, "startTestCluster")
    const settings = await Effect.runPromise(resolveDev([own]))
    const starting = startDev(settings, Object.values(buckets), 0)
    const nodes = await Effect.runPromise(Scope.provide(starting, scope))
    const { cluster } = settings
    const { natsUrl: servers } = nodes
    const db = await connectWith<B>(liveRuntime, buckets, {
      servers,
      cluster,
      preset: "development"
    })
    const stop = (): Promise<void> => (stopping ??= db.close().then(end))
    return {
      db,
      nats: servers,
      cluster,
      isolate: (node) => nodes.isolate(NodeId.make(node)),
      heal: () => nodes.heal(),
      kill: (node) => Effect.runPromise(nodes.kill(NodeId.make(node))),
      revive: (node) => Effect.runPromise(nodes.revive(NodeId.make(node))),
      stop,
      [Symbol.asyncDispose]: stop
    }
  } catch (error) {
    await end()
    throw error
  }
}
