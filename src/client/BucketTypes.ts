/**
 * Names the types of a bucket's keys, values and views, so that no program writes them down twice.
 * Each takes a declared bucket (`typeof Carts`) or a handle to one (`typeof db.carts`).
 */
import type * as Effect from "effect/Effect"
import type { Any, Bucket } from "../core/strategy/Bucket.ts"

/** A declared bucket, or a handle to one. */
export type BucketOrHandle = Any | { readonly get: (...args: any) => unknown }

/** The type of the keys. */
export type KeyOf<B extends BucketOrHandle> = B extends Bucket<any, infer K, any, never, any, any>
  ? K
  : B extends { readonly get: (key: infer K, ...rest: any) => unknown } ? K
  : never

/** The type that a read returns where something is stored. */
export type ViewOf<B extends BucketOrHandle> = B extends
  Bucket<any, any, infer View, never, any, any> ? View
  : B extends { readonly get: (...args: any) => infer Out } ? Exclude<SuccessOf<Out>, undefined>
  : never

type SuccessOf<Out> = Out extends Promise<infer A> ? A
  : Out extends Effect.Effect<infer A, any, any> ? A
  : never

/** The type that a write takes; `never` of a data type, which is changed by operations. */
export type ValueOf<B extends BucketOrHandle> = B extends
  { readonly encodeValue: (...args: infer Args extends ReadonlyArray<any>) => unknown } ? Args[0]
  : B extends { readonly put: (key: any, value: infer Value, ...rest: any) => unknown } ? Value
  : B extends { readonly replace: (seen: any, value: infer Value, ...rest: any) => unknown } ? Value
  : never
