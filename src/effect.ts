/**
 * Everwrite for Effect programs: the same buckets and handles, as services and layers.
 */
import "effect/schema/SchemaJITCompiler/enable"
import type * as Layer from "effect/Layer"
import {
  type Everwrite as Service,
  layerNats as layerClient,
  type LayerNatsOptions
} from "./client/Everwrite.ts"
import type { StoreError } from "./core/model/StoreError.ts"
import { liveRuntime } from "./node/LiveRuntime.ts"
import type { TransportUnavailable } from "./transport/Transport.ts"

export type { KeyOf, ValueOf, ViewOf } from "./client/BucketTypes.ts"
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
export { Everwrite, type EverwriteService, type LayerNatsOptions } from "./client/Everwrite.ts"
export type {
  CrdtHandle,
  Defaults,
  Edit,
  HandleOf,
  LwwHandle,
  MergeHandle,
  OperationOptions,
  PutOptions,
  ReadOptions,
  WriteOptions
} from "./client/Handle.ts"
export type { AskedBuckets, ReadResults } from "./client/ManyBuckets.ts"
export { type JsonOf, toJsonResult as toJson } from "./client/ToJson.ts"
export { ClusterName } from "./core/model/Names.ts"
export * from "./core/model/StoreError.ts"
export * as Bucket from "./core/strategy/Bucket.ts"
export * as Crdt from "./core/strategy/Crdt.ts"
export { fromStandardSchema, type StandardSchema } from "./core/strategy/FromStandardSchema.ts"
export * as Key from "./core/strategy/Key.ts"
export type { SchemaMismatch } from "./core/strategy/ValueCodec.ts"

/**
 * A thin client of a cluster over NATS: on a connection of its own or on the program's, with a
 * `wait` where the program may start before the cluster.
 */
export const layerNats = (
  options: LayerNatsOptions
): Layer.Layer<Service, TransportUnavailable | StoreError> =>
  layerClient({ ...options, runtime: liveRuntime })
