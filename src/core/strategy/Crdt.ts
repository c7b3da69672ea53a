/**
 * Declares the built-in data types with the schemas of their contents.
 */
import * as Schema from "effect/Schema"
import type { TypeDefinition } from "../model/BucketDefinition.ts"
import { isObject } from "../model/CanonicalJson.ts"
import type { ArgumentCodecs } from "./BucketCode.ts"
import { InvalidDeclaration } from "./InvalidDeclaration.ts"
import { needsInner, problemOf } from "./TypeShape.ts"
import * as ValueCodec from "./ValueCodec.ts"

export { InvalidDeclaration }

/** The arguments of an operation, by name; operations of nested types are nested likewise. */
export interface Operations {
  readonly [name: string]: ReadonlyArray<unknown> | Operations
}

/**
 * A data type: `View` is the type that a reader gets, `Ops` the operations and their arguments.
 * Both exist in types only.
 */
export interface CrdtType<out View, out Ops> {
  readonly definition: TypeDefinition
  /** @internal */
  readonly arguments: ArgumentCodecs
  /**
   * Throws `SchemaMismatch` where the JSON does not fit the schemas.
   * @internal
   */
  readonly decodeView: (json: unknown) => View
  readonly fingerprint: string
  readonly view?: View
  readonly operations?: Ops
}

const integer = ValueCodec.make(Schema.Int)
const text = ValueCodec.make(Schema.String)

/** Counts up and down; reads as a number. `add(n)` takes any integer, also a negative one. */
export const counter: CrdtType<number, {
  /** Adds an integer, which may be negative. Concurrent additions all count. */
  readonly add: readonly [amount: number]
}> = {
  definition: { type: "counter" },
  arguments: new Map([["add", [integer]]]),
  decodeView: integer.decode,
  fingerprint: "counter"
}

/**
 * Holds one value, the last one written; reads as it, or undefined before the first. In a document,
 * one that may hold null reads as null before the first.
 */
export const register = <A>(
  value: ValueCodec.ValueSchema<A>
): CrdtType<A | undefined, {
  /** Writes the value; of concurrent writes the last one wins. */
  readonly set: readonly [value: A]
  /** Removes the value that was seen. */
  readonly clear: readonly []
}> => {
  const codec = ValueCodec.make(value)
  // Where null is a value, a field of a document shows it also before the first write.
  const isNullable = accepts(codec, null)
  return {
    definition: { type: "register" },
    arguments: new Map([["set", [codec]], ["clear", []]]),
    decodeView: (json) => {
      const isUnset = json === undefined || (json === null && !isNullable)
      return isUnset ? undefined : codec.decode(json)
    },
    fingerprint: `register(${codec.fingerprint})`
  }
}

const accepts = (codec: ValueCodec.ValueCodec<any>, json: unknown): boolean => {
  try {
    codec.decode(json)
    return true
  } catch {
    return false
  }
}

const arrayOf = (json: unknown): ReadonlyArray<unknown> => {
  if (Array.isArray(json)) return json
  throw new ValueCodec.SchemaMismatch("$", "expected an array")
}

const objectOf = (json: unknown): Readonly<Record<string, unknown>> => {
  if (isObject(json)) return json
  throw new ValueCodec.SchemaMismatch("$", "expected an object")
}

/** Holds elements, told apart by their JSON; an addition wins over a concurrent removal. */
export const set = <A>(
  element: ValueCodec.ValueSchema<A>
): CrdtType<ReadonlySet<A>, {
  /** Adds an element; this wins over a removal at the same time. */
  readonly add: readonly [element: A]
  /** Removes an element, as far as it was seen. */
  readonly remove: readonly [element: A]
}> => {
  const codec = ValueCodec.make(element)
  return {
    definition: { type: "set" },
    arguments: new Map([["add", [codec]], ["remove", [codec]]]),
    decodeView: (json) => new Set(arrayOf(json).map(codec.decode)),
    fingerprint: `set(${codec.fingerprint})`
  }
}

/** Operations below a map take the key of the entry first. */
export type UnderKey<Ops> =
  & {
    readonly [Name in keyof Ops]: Ops[Name] extends ReadonlyArray<unknown>
      ? readonly [entry: string, ...args: Ops[Name]]
      : UnderKey<Ops[Name]>
  }
  & {}

/**
 * Entries that are maps themselves, or documents with a field `drop`, are reached through `inner`,
 * so that `drop` has one meaning.
 */
export type MapOperations<Ops> = Ops extends { readonly drop: unknown }
  ? Flat<UnderKey<{ readonly inner: Ops }> & Drop>
  : Flat<UnderKey<Ops> & Drop>

interface Drop {
  /** Removes an entry, as far as it was seen; what is added to it at the same time stays. */
  readonly drop: readonly [entry: string]
}

/** The same type as one object, without a name of its own: an editor shows what is in it. */
export type Flat<A> = { readonly [Name in keyof A]: A[Name] } & {}

const dotted = (
  prefix: string,
  codecs: ArgumentCodecs,
  first: ReadonlyArray<ValueCodec.ValueCodec<any>>
): ReadonlyArray<readonly [string, ReadonlyArray<ValueCodec.ValueCodec<any>>]> =>
  [...codecs].map(([name, args]) => [`${prefix}${name}`, [...first, ...args]] as const)

/**
 * Holds a state of one type for each key. An entry is there while anything in it is; `drop` removes
 * the content that was seen, and content that is added concurrently stays.
 */
export const map = <View, Ops>(
  of: CrdtType<View, Ops>
): CrdtType<ReadonlyMap<string, View>, MapOperations<Ops>> => ({
  definition: checked({ type: "map", of: of.definition }),
  arguments: new Map([
    ...dotted(needsInner(of.definition) ? "inner." : "", of.arguments, [text]),
    ["drop", [text]]
  ]),
  decodeView: (json) =>
    new Map(Object.entries(objectOf(json)).map(([key, value]) => [key, of.decodeView(value)])),
  fingerprint: `map(${of.fingerprint})`
})

/** The definition of a type that can work. Throws `InvalidDeclaration`. */
const checked = (definition: TypeDefinition): TypeDefinition => {
  const problem = problemOf(definition)
  if (problem !== undefined) throw new InvalidDeclaration(problem)
  return definition
}

export type Fields = Readonly<Record<string, CrdtType<any, any>>>

export type DocumentView<F extends Fields> =
  & {
    readonly [Name in keyof F]: F[Name] extends CrdtType<infer View, any> ? View : never
  }
  & {}

export type DocumentOperations<F extends Fields> =
  & {
    readonly [Name in keyof F]: F[Name] extends CrdtType<any, infer Ops> ? Ops : never
  }
  & {}

/** Holds a state for each of its fields, each of its own type, all there from the start. */
export const document = <const F extends Fields>(
  fields: F
): CrdtType<DocumentView<F>, DocumentOperations<F>> => {
  const entries = Object.entries(fields)
  const decode = (json: unknown): any => {
    const object = objectOf(json)
    // A field may bear a name that every object has, such as `constructor`.
    const fieldOf = (name: string) => Object.hasOwn(object, name) ? object[name] : undefined
    return Object.fromEntries(entries.map(([name, type]) => [name, type.decodeView(fieldOf(name))]))
  }
  return {
    definition: checked({
      type: "document",
      fields: Object.fromEntries(entries.map(([name, type]) => [name, type.definition]))
    }),
    arguments: new Map(
      entries.flatMap(([name, type]) => dotted(`${name}.`, type.arguments, []))
    ),
    decodeView: decode,
    fingerprint: `document(${entries.map(([n, t]) => `${n}:${t.fingerprint}`).sort().join(",")})`
  }
}
