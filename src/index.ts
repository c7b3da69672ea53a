/**
 * Everwrite for programs with Promises: declare buckets, connect to a cluster, read and write.
 * Effect programs take `everwrite/effect` instead; nodes are started with `everwrite/server`.
 */
import "effect/schema/SchemaJITCompiler/enable"
import type { BucketMap, ConnectOptions, Db, NamedWell } from "./client/Promises.ts"
import { checkUrl } from "./client/ConnectChecks.ts"
import { HttpBackend } from "./client/HttpBackend.ts"
import { connectWith, makeDb } from "./client/Promises.ts"
import { liveRuntime } from "./node/LiveRuntime.ts"

export type { KeyOf, ValueOf, ViewOf } from "./client/BucketTypes.ts"
export type { ClientStatus } from "./client/Connecting.ts"
export {
  type Absent,
  type CausalContext,
  contextOf,
  type Entry,
  type Found,
  type Unshown,
  viewOf,
  type Written
} from "./client/Entry.ts"
export type {
  CrdtHandle,
  Defaults,
  Edit,
  HandleOf,
  LwwHandle,
  MergeHandle,
  OperationOptions,
  PromiseHandleOf,
  PutOptions,
  ReadOptions,
  WriteOptions
} from "./client/Handle.ts"
export type { Failed } from "./client/ManyBuckets.ts"
export type { BucketMap, ConnectOptions, Db } from "./client/Promises.ts"
export { type JsonOf, toJson } from "./client/ToJson.ts"
export * from "./core/model/StoreError.ts"
export * as Bucket from "./core/strategy/Bucket.ts"
export * as Crdt from "./core/strategy/Crdt.ts"
export { fromStandardSchema, type StandardSchema } from "./core/strategy/FromStandardSchema.ts"
export * as Key from "./core/strategy/Key.ts"
export type { SchemaMismatch } from "./core/strategy/ValueCodec.ts"
export { TransportUnavailable } from "./transport/Transport.ts"
/** Of the copy of `effect` that everwrite uses: schemas of another one are refused. */
export * as Schema from "effect/Schema"

/**
 * Connects to a cluster over NATS: by the addresses of brokers, or on a connection that the program
 * has already. Give it a `wait` where a service may start before the cluster.
 *
 * **Fails with** `TransportUnavailable` where the broker cannot be reached, `NoAnswer` where no
 * node of the cluster is there, `BucketMismatch` where a node declares a bucket otherwise,
 * `Cancelled` where the `signal` was aborted.
 */
export const connect = <B extends BucketMap>(
  buckets: NamedWell<B>,
  options: ConnectOptions
): Promise<Db<B>> => connectWith(liveRuntime, buckets, options)

/**
 * Reaches one node over HTTP: for programs without NATS. Nothing is sent until the first request;
 * a node that cannot be reached is `NoAnswer`.
 */
export const connectHttp = <B extends BucketMap>(
  buckets: NamedWell<B>,
  options: { readonly url: string }
): Db<B> => {
  checkUrl(options)
  const backend = new HttpBackend({ runtime: liveRuntime, url: options.url })
  return makeDb(buckets, backend, async () => backend.close())
}
