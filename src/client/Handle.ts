/**
 * Describes the typed handle to a bucket. Which methods there are follows from how the bucket
 * reconciles: a call that would lose the context, or mean nothing, does not compile.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { CallBody, RequestBody } from "../../schemas/ClientRequest.ts"
import type { Consistency, Replicas } from "../core/model/Settings.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Any, Bucket } from "../core/strategy/Bucket.ts"
import type { CausalContext, Entry, Written } from "./Entry.ts"
import type { OperationMethods } from "./OperationMethods.ts"

export type IfUnknown = NonNullable<RequestBody["ifUnknown"]>
export type Show = NonNullable<RequestBody["show"]>

export interface ReadOptions {
  /** A usual choice; numbers override it. */
  readonly consistency?: Consistency
  /** Replicas that must answer, and how many of them complete primaries. */
  readonly r?: Replicas
  readonly pr?: Replicas
  /** `false`: no other node stands in for an owner that cannot be reached. `true` unless given. */
  readonly sloppy?: boolean
  readonly timeout?: Duration.Input
  /** Ends the read at once, in `Cancelled`, when it is aborted. */
  readonly signal?: AbortSignal
}

export interface WriteOptions {
  readonly consistency?: Consistency
  /** Replicas that must acknowledge; of these, complete primaries, and on disk. */
  readonly w?: Replicas
  readonly pw?: Replicas
  readonly dw?: Replicas
  /**
   * `false`: no other node stands in for an owner that cannot be reached, so that the write fails
   * where too few owners answer. `true` unless given: another node takes it, and hands it over.
   */
  readonly sloppy?: boolean
  readonly timeout?: Duration.Input
  /**
   * Ends the write at once, in `Cancelled`, when it is aborted: the error says whether a node may
   * have got the write all the same.
   */
  readonly signal?: AbortSignal
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
  /**
   * `always` has the answer hold the document, however large it is; `small`, the default, leaves it
   * out (`Unshown`) where it is larger than nodes show: 16 KiB unless set otherwise.
   */
  readonly show?: Show
}

/**
 * What requests ask for that ask for nothing themselves: the consistency only of buckets that were
 * declared with nothing of the kind.
 */
export interface Defaults
  extends Pick<ReadOptions & WriteOptions, "consistency" | "timeout" | "ifUnknown">
{}

export interface OperationOptions<Name extends string> extends WriteOptions {
  /** The context that a removal has seen: it takes that away and nothing else. */
  readonly seen?: { readonly context: CausalContext<Name> }
}

export interface PutOptions<Name extends string> extends WriteOptions {
  /** The entry that was read before: the put wins over it, whatever the clocks say. */
  readonly seen?: { readonly context: CausalContext<Name> }
}

/** How a handle answers: by Effects, or by Promises, which reject with the typed error itself. */
export type Way = "effect" | "promise"

type Out<W extends Way, A> = W extends "promise" ? Promise<A> : Effect.Effect<A, StoreError>

/** A document that was read, or at least its key and context. */
export interface SeenDocument<Name extends string, K> {
  readonly key: K
  readonly context: CausalContext<Name>
}

/** One operation of a change of several, made by the builder that `edit` hands out. */
export interface Edit extends CallBody {}

/** The methods of every handle that read. Type literals, of which editors show no arguments. */
export type Reads<Name extends string, K, View, W extends Way> = {
  /**
   * The value, or undefined where nothing is stored.
   *
   * **Fails with** `QuorumNotMet` where too few replicas answer in time, `NoAnswer` where no node
   * does, `Overloaded` where there is too much to do, `Cancelled` after an abort; see `StoreError`.
   */
  readonly get: (key: K, options?: ReadOptions) => Out<W, View | undefined>
  /**
   * The value or its absence, with the context that the next write brings back.
   *
   * **Fails with** `QuorumNotMet` where too few replicas answer in time, `NoAnswer` where no node
   * does, `Overloaded` where there is too much to do, `Cancelled` after an abort; see `StoreError`.
   */
  readonly entry: (key: K, options?: ReadOptions) => Out<W, Entry<Name, K, View>>
  /**
   * Many entries, in the order of the keys.
   *
   * **Fails with** the error of the first read that fails, as `entry` does; `many` of several
   * buckets has each read fail by itself.
   */
  readonly many: (
    keys: Iterable<K>,
    options?: ReadOptions
  ) => Out<W, ReadonlyArray<Entry<Name, K, View>>>
}

export type Deletes<Name extends string, K, View, W extends Way> = {
  /**
   * Removes the values that were seen. Of a key, they are read first where that matters.
   *
   * **Fails with** `QuorumNotMet`, `NoAnswer` or `Cancelled`, which say whether the deletion may
   * have applied, or `Overloaded`, after which it has not; see `StoreError`.
   */
  readonly delete: (
    seen: K | SeenDocument<Name, K>,
    options?: WriteOptions
  ) => Out<W, Written<Name, K, View>>
}

/** The handle to a bucket where the last write wins. */
export type LwwHandle<Name extends string, K, View, Value, W extends Way> =
  & Reads<Name, K, View, W>
  & Deletes<Name, K, View, W>
  & {
    /**
     * Writes a value without reading first: of concurrent writes the last one wins.
     *
     * **Fails with** `InvalidValue` where the value does not fit the schema; `QuorumNotMet`,
     * `NoAnswer` or `Cancelled`, which say whether the write may have applied; or `Overloaded`,
     * after which it has not; see `StoreError`.
     */
    readonly put: (
      key: K,
      value: Value,
      options?: PutOptions<Name>
    ) => Out<W, Written<Name, K, View>>
  }

/** The handle to a bucket with an application merge, or with siblings. */
export type MergeHandle<Name extends string, K, View, Value, W extends Way> =
  & Reads<Name, K, View, W>
  & Deletes<Name, K, View, W>
  & {
    /**
     * Writes a value in place of all values seen; unseen ones stay beside it.
     *
     * **Fails with** `InvalidValue` where the value does not fit the schema; `QuorumNotMet`,
     * `NoAnswer` or `Cancelled`, which say whether the write may have applied; or `Overloaded`,
     * after which it has not; see `StoreError`.
     */
    readonly replace: (
      seen: SeenDocument<Name, K>,
      value: Value,
      options?: WriteOptions
    ) => Out<W, Written<Name, K, View>>
    /**
     * Reads, applies `change` (to undefined where nothing is stored), writes with the context. The
     * change is applied once: a value written meanwhile stays beside it. Where one replica is
     * enough to read (`available`) and none is reached, it is applied to undefined too: the value
     * is written without a context, and stays beside what it has not seen.
     *
     * **Fails with** the errors of `get` and `replace`, or with that which `change` throws.
     */
    readonly update: (
      key: K,
      change: (current: View | undefined) => Value,
      options?: ReadOptions & WriteOptions
    ) => Out<W, Written<Name, K, View>>
  }

/** The operations of a data type, which take the document's key first. */
export type Methods<Name extends string, K, View, Ops, W extends Way> = OperationMethods<Ops, {
  readonly before: [key: K]
  readonly after: [options?: OperationOptions<Name>]
  readonly out: Out<W, Written<Name, K, View>>
}>

interface EditCall {
  readonly before: []
  readonly after: []
  readonly out: Edit
}

/** The same operations without the key, to be applied together. */
export type Builder<Ops> = OperationMethods<Ops, EditCall>

export type Edits<Name extends string, K, View, Ops, W extends Way> =
  & Reads<Name, K, View, W>
  & Deletes<Name, K, View, W>
  & {
    /**
     * Applies several operations as one change: all or none, one round trip, one commit.
     *
     * **Fails with** `InvalidValue` where an argument does not fit its schema; `QuorumNotMet`,
     * `NoAnswer` or `Cancelled`, which say whether the change may have applied; or `Overloaded`,
     * after which it has not; see `StoreError`.
     */
    readonly edit: (
      key: K,
      change: (document: Builder<Ops>) => ReadonlyArray<Edit>,
      options?: OperationOptions<Name>
    ) => Out<W, Written<Name, K, View>>
  }

/** The handle to a bucket of a data type: a method for each of its operations. */
export type CrdtHandle<Name extends string, K, View, Ops, W extends Way> =
  & Edits<Name, K, View, Ops, W>
  & Methods<Name, K, View, Ops, W>

/** The typed handle to a bucket, for programs with Effects unless said otherwise. */
export type HandleOf<B extends Any, W extends Way = "effect"> = B extends
  Bucket<infer Name, infer K, infer View, infer Value, infer Ops, infer S>
  ? [S] extends ["put"] ? LwwHandle<Name, K, View, Value, W>
  : [S] extends ["replace" | "update"] ? MergeHandle<Name, K, View, Value, W>
  : [S] extends ["edit"] ? CrdtHandle<Name, K, View, Ops, W>
  : Reads<Name, K, View, W> & Deletes<Name, K, View, W> & OfAnySurface<W>
  : never

/** The methods of which a bucket that is known only at run time has some. */
type OfAnySurface<W extends Way> =
  & LwwHandle<any, any, any, any, W>
  & MergeHandle<any, any, any, any, W>
  & CrdtHandle<any, any, any, any, W>

/** The same handle with Promises. */
export type PromiseHandleOf<B extends Any> = HandleOf<B, "promise">
