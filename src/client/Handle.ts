/**
 * Describes the typed handle to a bucket. Which methods there are follows from how the bucket
 * reconciles: a call that would lose the context, or mean nothing, does not compile.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { CallBody, RequestBody } from "../../schemas/ClientRequest.ts"
import type { Consistency, Replicas } from "../core/model/Settings.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Any, Bucket, Surface } from "../core/strategy/Bucket.ts"
import type { CausalContext, Entry, Written } from "./Entry.ts"

export type IfUnknown = NonNullable<RequestBody["ifUnknown"]>

export interface ReadOptions {
  /** A usual choice; numbers override it. */
  readonly consistency?: Consistency
  /** Replicas that must answer, and how many of them complete primaries. */
  readonly r?: Replicas
  readonly pr?: Replicas
  readonly timeout?: Duration.Input
}

export interface WriteOptions {
  readonly consistency?: Consistency
  /** Replicas that must acknowledge; of these, complete primaries, and on disk. */
  readonly w?: Replicas
  readonly pw?: Replicas
  readonly dw?: Replicas
  readonly timeout?: Duration.Input
  /**
   * Names this write of this document, to give it again without applying it again: 1 to 200 visible
   * characters of ASCII, as HTTP's `Idempotency-Key`, which is the same name. A write under a name
   * that was carried out already is answered with the document as it is. Where nobody can tell, it
   * fails with `OperationUnknown`. A name is known as long as an owner that can be reached keeps
   * it: each keeps the newest 262,144 unless set otherwise.
   */
  readonly id?: string
  /**
   * `apply` applies a write of which nobody can tell whether it was applied before, so that it may
   * count twice; `fail`, the default, says so by `OperationUnknown`.
   */
  readonly ifUnknown?: IfUnknown
}

export interface OperationOptions<Name extends string> extends WriteOptions {
  /** The context that a removal has seen: it takes that away and nothing else. */
  readonly seen?: { readonly context: CausalContext<Name> }
}

/** A document that was read, or at least its key and context. */
export interface SeenDocument<Name extends string, K> {
  readonly key: K
  readonly context: CausalContext<Name>
}

/** One operation of a change of several, made by the builder that `edit` hands out. */
export type Edit = CallBody

export interface Reads<Name extends string, K, View> {
  /** The value, or undefined where there is none. */
  readonly get: (key: K, options?: ReadOptions) => Effect.Effect<View | undefined, StoreError>
  /** The value or its absence, with the context that the next write brings back. */
  readonly entry: (key: K, options?: ReadOptions) => Effect.Effect<Entry<Name, K, View>, StoreError>
  /** Many entries, in the order of the keys. */
  readonly many: (
    keys: Iterable<K>,
    options?: ReadOptions
  ) => Effect.Effect<ReadonlyArray<Entry<Name, K, View>>, StoreError>
}

export interface Deletes<Name extends string, K, View> {
  /** Removes the values that were seen. Of a key, they are read first where that matters. */
  readonly delete: (
    seen: K | SeenDocument<Name, K>,
    options?: WriteOptions
  ) => Effect.Effect<Written<Name, K, View>, StoreError>
}

export interface Puts<Name extends string, K, View, Value> {
  /** Writes a value without reading first: of concurrent writes the last one wins. */
  readonly put: (
    key: K,
    value: Value,
    options?: WriteOptions
  ) => Effect.Effect<Written<Name, K, View>, StoreError>
}

export interface Replaces<Name extends string, K, View, Value> {
  /** Writes a value in place of all values seen; unseen ones stay beside it. */
  readonly replace: (
    seen: SeenDocument<Name, K>,
    value: Value,
    options?: WriteOptions
  ) => Effect.Effect<Written<Name, K, View>, StoreError>
}

export interface Updates<Name extends string, K, View, Value> {
  /** Reads, applies `change` (to undefined where nothing is stored), writes with the context. */
  readonly update: (
    key: K,
    change: (current: View | undefined) => Value,
    options?: ReadOptions & WriteOptions
  ) => Effect.Effect<Written<Name, K, View>, StoreError>
}

/** The operations of a data type, which take the document's key first. */
export type Methods<Name extends string, K, View, Ops> = {
  readonly [Op in keyof Ops]: Ops[Op] extends ReadonlyArray<unknown> ? (
      key: K,
      ...args: [...Ops[Op], options?: OperationOptions<Name>]
    ) => Effect.Effect<Written<Name, K, View>, StoreError>
    : Methods<Name, K, View, Ops[Op]>
}

/** The same operations without the key, to be applied together. */
export type Builder<Ops> = {
  readonly [Op in keyof Ops]: Ops[Op] extends ReadonlyArray<unknown> ? (...args: Ops[Op]) => Edit
    : Builder<Ops[Op]>
}

export interface Edits<Name extends string, K, View, Ops> {
  /** Applies several operations as one change: all or none, one round trip, one commit. */
  readonly edit: (
    key: K,
    change: (document: Builder<Ops>) => ReadonlyArray<Edit>,
    options?: OperationOptions<Name>
  ) => Effect.Effect<Written<Name, K, View>, StoreError>
}

type ForSurface<Name extends string, K, View, Value, Ops, S extends Surface> =
  & ("put" extends S ? Puts<Name, K, View, Value> : {})
  & ("replace" extends S ? Replaces<Name, K, View, Value> : {})
  & ("update" extends S ? Updates<Name, K, View, Value> : {})
  & ("edit" extends S ? Edits<Name, K, View, Ops> & Methods<Name, K, View, Ops> : {})

export type HandleOf<B extends Any> = B extends
  Bucket<infer Name, infer K, infer View, infer Value, infer Ops, infer S>
  ? Reads<Name, K, View> & Deletes<Name, K, View> & ForSurface<Name, K, View, Value, Ops, S>
  : never

/** The same handle with Promises, which reject with the typed error itself. */
export type Promised<H> = {
  readonly [M in keyof H]: H[M] extends (...args: infer Args) => Effect.Effect<infer A, any>
    ? (...args: Args) => Promise<A>
    : Promised<H[M]>
} & {}
