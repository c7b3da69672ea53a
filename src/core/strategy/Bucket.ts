/**
 * Declares buckets: a name, a key, and how concurrent writes are reconciled. One declaration
 * serves the typed client, the node that checks and merges, the command line and the law kit.
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { digest64 } from "../Hash.ts"
import {
  type BucketDefinition,
  fingerprint,
  type QuorumDefaults,
  type StrategyDefinition,
  unmet
} from "../model/BucketDefinition.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"
import { BucketName } from "../model/Names.ts"
import type { Durability } from "../model/Settings.ts"
import type { ArgumentCodecs, BucketCode } from "./BucketCode.ts"
import * as Crdt from "./Crdt.ts"
import type { Key } from "./Key.ts"
import * as ValueCodec from "./ValueCodec.ts"

/** The options of every declaration besides its key and values. */
export interface BucketOptions<K> extends QuorumDefaults {
  readonly key: Key<K>
  /** Replicas of each document; 3 unless said otherwise. */
  readonly n?: number
  /** `synced` unless said otherwise. */
  readonly durability?: Durability
}

/** The methods that a handle to the bucket offers besides `get`, `entry`, `many` and `delete`. */
export type Surface = "put" | "replace" | "update" | "edit"

/**
 * A declared bucket. `View` is the type that a reader gets, `Value` the one that a writer gives,
 * `Ops` the named operations of a data type; `S` says which methods a handle has.
 */
export interface Bucket<out Name extends string, K, View, Value, out Ops, out S extends Surface> {
  readonly name: Name
  readonly definition: BucketDefinition
  readonly fingerprint: string
  readonly key: Key<K>
  /**
   * The functions of the declaration that throw.
   * @internal
   */
  readonly code: BucketCode
  readonly surface: ReadonlyArray<S>
  /** The view of the stored JSON values, at least one. */
  readonly decodeView: (
    values: ReadonlyArray<unknown>
  ) => Result.Result<View, ValueCodec.SchemaMismatch>
  /** JSON of a value. */
  readonly encodeValue: (value: Value) => Result.Result<Schema.Json, ValueCodec.SchemaMismatch>
  readonly operations?: Ops
}

export type Any = Bucket<string, any, any, never, any, Surface>

/** Names that a handle uses itself; a document's fields may not bear them. */
export const reservedNames = ["get", "entry", "many", "delete", "put", "replace", "update", "edit"]

type ReservedName = "get" | "entry" | "many" | "delete" | "put" | "replace" | "update" | "edit"

const nMax = 15

const define = (
  name: string,
  options: BucketOptions<any>,
  strategy: StrategyDefinition,
  schema: string
): BucketDefinition => {
  const { key, n = 3, durability = "synced", consistency, r, w, pr, pw, dw } = options
  if (!Number.isInteger(n) || n < 1 || n > nMax) {
    throw new Crdt.InvalidDeclaration(`bucket ${name}: n is ${n}, expected 1 to ${nMax}`)
  }
  if (!Schema.is(BucketName)(name)) {
    throw new Crdt.InvalidDeclaration(
      `bucket ${JSON.stringify(name)}: expected 1 to 64 of a-z, 0-9, _ and -, `
        + "beginning with a letter or digit"
    )
  }
  const defaults: QuorumDefaults = {
    ...(consistency === undefined ? {} : { consistency }),
    ...(r === undefined ? {} : { r }),
    ...(w === undefined ? {} : { w }),
    ...(pr === undefined ? {} : { pr }),
    ...(pw === undefined ? {} : { pw }),
    ...(dw === undefined ? {} : { dw })
  }
  const problem = unmet({ defaults, n })
  if (problem !== undefined) throw new Crdt.InvalidDeclaration(`bucket ${name}: ${problem}`)
  return { name, strategy, key: key.definition, n, defaults, durability, schema }
}

const normalizeBy = (codecs: ArgumentCodecs): BucketCode["normalizeArguments"] => (name, args) => {
  const expected = codecs.get(name)
  if (expected === undefined) return args
  if (args.length !== expected.length) {
    throw new ValueCodec.SchemaMismatch("$", `${name} takes ${expected.length} arguments`)
  }
  return expected.map((codec, i) => {
    try {
      return codec.normalize(args[i])
    } catch (error) {
      if (!(error instanceof ValueCodec.SchemaMismatch)) throw error
      throw new ValueCodec.SchemaMismatch(`$[${i}]${error.path.slice(1)}`, error.problem)
    }
  })
}

interface Declared<View, Value, S extends Surface> {
  readonly strategy: StrategyDefinition
  readonly schema: string
  readonly surface: ReadonlyArray<S>
  readonly arguments: ArgumentCodecs
  readonly merge?: BucketCode["merge"]
  readonly applicationMerge?: BucketCode["applicationMerge"]
  readonly decodeView: (values: ReadonlyArray<unknown>) => View
  readonly encodeValue: (value: Value) => Schema.Json
}

const make = <const Name extends string, K, View, Value, Ops, S extends Surface>(
  name: Name,
  options: BucketOptions<K>,
  declared: Declared<View, Value, S>
): Bucket<Name, K, View, Value, Ops, S> => {
  const definition = define(name, options, declared.strategy, declared.schema)
  return {
    name,
    definition,
    fingerprint: fingerprint(definition),
    key: options.key,
    code: {
      key: options.key.codec,
      arguments: declared.arguments,
      normalizeArguments: normalizeBy(declared.arguments),
      decodeView: declared.decodeView,
      encodeValue: declared.encodeValue,
      merge: declared.merge,
      applicationMerge: declared.applicationMerge
    },
    surface: declared.surface,
    decodeView: ValueCodec.resultOf(declared.decodeView),
    encodeValue: ValueCodec.resultOf(declared.encodeValue)
  }
}

export interface ValueOptions<K, A> extends BucketOptions<K> {
  readonly value: ValueCodec.ValueSchema<A>
}

export type Lww<Name extends string, K, A> = Bucket<Name, K, A, A, {}, "put">

/**
 * A bucket in which the last write wins. Of concurrent writes one is lost, so take it for values
 * that are written whole and by one writer at a time: profiles, settings, sensor readings.
 */
export const lww = <const Name extends string, K, A>(
  name: Name,
  options: ValueOptions<K, A>
): Lww<Name, K, A> => {
  const codec = ValueCodec.make(options.value)
  return make(name, options, {
    strategy: { family: "lww" },
    schema: codec.fingerprint,
    surface: ["put"],
    arguments: new Map([["put", [codec]], ["delete", []]]),
    decodeView: (values) => codec.decode(values[0]),
    encodeValue: codec.encode
  })
}

/** All concurrent values, in the order of their dots. */
export type Siblings<A> = readonly [A, ...ReadonlyArray<A>]

export type SiblingsBucket<Name extends string, K, A> = Bucket<
  Name,
  K,
  Siblings<A>,
  A,
  {},
  "replace" | "update"
>

const nonEmpty = <A>(values: ReadonlyArray<A>): Siblings<A> => {
  const [first, ...rest] = values
  if (first === undefined) throw new ValueCodec.SchemaMismatch("$", "expected at least one value")
  return [first, ...rest]
}

/** A bucket whose reads return every concurrent value: the raw interface of the Dynamo paper. */
export const siblings = <const Name extends string, K, A>(
  name: Name,
  options: ValueOptions<K, A>
): SiblingsBucket<Name, K, A> => {
  const codec = ValueCodec.make(options.value)
  return make(name, options, {
    strategy: { family: "siblings" },
    schema: codec.fingerprint,
    surface: ["replace", "update"],
    arguments: new Map([["put", [codec]], ["delete", []]]),
    decodeView: (values) => nonEmpty(values.map(codec.decode)),
    encodeValue: codec.encode
  })
}

export interface MergeOptions<K, A> extends ValueOptions<K, A> {
  /**
   * The application merge: one value for two concurrent ones. It runs on reading, folded over
   * the siblings in dot order, and should be commutative, associative and idempotent, which
   * `checkBucket` of `everwrite/testing` checks.
   */
  readonly merge: (left: NoInfer<A>, right: NoInfer<A>) => NoInfer<A>
  /** Bump it when the meaning of `merge` changes; 1 unless said otherwise. */
  readonly version?: number
}

export type MergeBucket<Name extends string, K, A> = Bucket<
  Name,
  K,
  A,
  A,
  {},
  "replace" | "update"
>

/** A bucket whose concurrent values the application's function makes into one, on reading. */
export const merge = <const Name extends string, K, A>(
  name: Name,
  options: MergeOptions<K, A>
): MergeBucket<Name, K, A> => {
  const codec = ValueCodec.make(options.value)
  const fold = (values: ReadonlyArray<unknown>): A =>
    nonEmpty(values).map(codec.decode).reduce((left, right) => options.merge(left, right))
  return make(name, options, {
    strategy: { family: "merge", version: options.version ?? 1 },
    schema: codec.fingerprint,
    surface: ["replace", "update"],
    arguments: new Map([["put", [codec]], ["delete", []]]),
    merge: (values) =>
      values.length === 1
        ? values[0]!
        : CanonicalJson.encode(codec.encodeResult(fold(values.map(CanonicalJson.decode)))),
    applicationMerge: options.merge,
    decodeView: fold,
    encodeValue: codec.encode
  })
}

export interface CrdtOptions<K, View, Ops> extends BucketOptions<K> {
  readonly type: Crdt.CrdtType<View, Ops> & NoReserved<Ops>
}

/** A document whose field bears the name of a handle's own method is refused by its type. */
type NoReserved<Ops> = Extract<keyof Ops, ReservedName> extends never ? unknown : never

export type CrdtBucket<Name extends string, K, View, Ops> = Bucket<
  Name,
  K,
  View,
  never,
  Ops,
  "edit"
>

/** A bucket of a data type that reconciles itself: counters, sets, registers, maps, documents. */
export const crdt = <const Name extends string, K, View, Ops>(
  name: Name,
  options: CrdtOptions<K, View, Ops>
): CrdtBucket<Name, K, View, Ops> => {
  const { type } = options
  for (const operation of type.arguments.keys()) {
    const first = operation.split(".")[0]!
    if (reservedNames.includes(first)) {
      throw new Crdt.InvalidDeclaration(`bucket ${name}: no field may be named ${first}`)
    }
  }
  return make(name, options, {
    strategy: { family: "crdt", type: type.definition },
    schema: digest64(type.fingerprint),
    surface: ["edit"],
    arguments: type.arguments,
    decodeView: (values) => type.decodeView(values[0]),
    encodeValue: (value: never) => value
  })
}
