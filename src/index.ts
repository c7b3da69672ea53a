/**
 * Everwrite for programs with Promises: declare buckets, connect to a cluster, read and write.
 * Effect programs take `everwrite/effect` instead; nodes are started with `everwrite/server`.
 */
import type { BucketMap, ConnectOptions, Db, NamedWell } from "./client/Promises.ts"
import { connectWith } from "./client/Promises.ts"
import { liveWorld } from "./node/LiveWorld.ts"

export {
  type Absent,
  type CausalContext,
  contextOf,
  type Entry,
  type Found
} from "./client/Entry.ts"
export type {
  Edit,
  HandleOf,
  OperationOptions,
  Promised,
  ReadOptions,
  WriteOptions
} from "./client/Handle.ts"
export type { BucketMap, ConnectOptions, Db } from "./client/Promises.ts"
export * from "./core/model/StoreError.ts"
export * as Bucket from "./core/strategy/Bucket.ts"
export * as Crdt from "./core/strategy/Crdt.ts"
export * as Key from "./core/strategy/Key.ts"
export { TransportUnavailable } from "./transport/Transport.ts"

/**
 * Connects to a cluster over NATS.
 *
 * **Fails with** `TransportUnavailable` where the broker cannot be reached, `NoAnswer` where no
 * node of the cluster is there.
 */
export const connect = <B extends BucketMap>(
  buckets: NamedWell<B>,
  options: ConnectOptions
): Promise<Db<B>> => connectWith(liveWorld, buckets, options)
