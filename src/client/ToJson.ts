/**
 * Makes plain JSON of what a read returned, to answer a request or write a log with.
 */
import * as Result from "effect/Result"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"

/**
 * The JSON of a type: a `Map` with texts as keys is an object, a `Set` an array, a `Date` and a
 * `bigint` are texts.
 */
export type JsonOf<A> = A extends string | number | boolean | null | undefined ? A
  : A extends bigint | Date ? string
  : A extends ReadonlyMap<infer K, infer V>
    ? K extends string ? { readonly [key: string]: JsonOf<V> }
    : ReadonlyArray<readonly [JsonOf<K>, JsonOf<V>]>
  : A extends ReadonlySet<infer E> ? ReadonlyArray<JsonOf<E>>
  : A extends ReadonlyArray<unknown> ? { readonly [I in keyof A]: JsonOf<A[I]> }
  : A extends object ? { readonly [Name in keyof A]: JsonOf<A[Name]> }
  : unknown

const inner = (value: unknown, depth: number): unknown => {
  if (typeof value === "bigint") return String(value)
  // The check of the whole refuses what is nested too deeply, a circle among it.
  if (typeof value !== "object" || value === null || depth > CanonicalJson.depthMax) return value
  const next = (part: unknown): unknown => inner(part, depth + 1)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? NaN : value.toISOString()
  if (value instanceof Set) return [...value].map(next)
  if (value instanceof Map) {
    const entries = [...value]
    return entries.every(([key]) => typeof key === "string")
      ? Object.fromEntries(entries.map(([key, part]) => [key, next(part)]))
      : entries.map(([key, part]) => [next(key), next(part)])
  }
  if (Array.isArray(value)) return value.map(next)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) =>
      part === undefined ? [] : [[name, next(part)] as const]
    )
  )
}

type JsonOfView<A> = undefined extends A ? JsonOf<Exclude<A, undefined>> | null : JsonOf<A>

/**
 * Makes plain JSON of the view of a document: a `Map` becomes an object, a `Set` an array, a `Date`
 * and a `bigint` texts; a field that holds `undefined` is left out. Of no view it makes `null`.
 *
 * **Fails with** `InvalidRequest`, which names the place of a value that JSON cannot hold.
 *
 * ```ts
 * const json = yield* Effect.fromResult(toJson({ lines: new Map([["apple", 2]]) }))
 * ```
 */
export const toJsonResult = <A>(
  view: A
): Result.Result<JsonOfView<A>, InvalidRequest> => {
  const json: any = inner(view ?? null, 0)
  try {
    CanonicalJson.check(json)
  } catch (thrown) {
    if (!(thrown instanceof CanonicalJson.InvalidJson)) throw thrown
    const { path: value, problem } = thrown
    const expected = `JSON, but it is ${problem}`
    return Result.fail(new InvalidRequest({ setting: "toJson", value, expected }))
  }
  return Result.succeed(json)
}

/**
 * Makes plain JSON of the view of a document: a `Map` becomes an object, a `Set` an array, a `Date`
 * and a `bigint` texts; a field that holds `undefined` is left out. Of no view it makes `null`.
 *
 * **Fails with** `InvalidRequest`, thrown, which names the place of a value that JSON cannot hold.
 * `everwrite/effect` has it as a `Result`.
 *
 * ```ts
 * toJson({ lines: new Map([["apple", 2]]), coupon: undefined }) // => { lines: { apple: 2 } }
 * ```
 */
export const toJson = <A>(view: A): JsonOfView<A> =>
  Result.getOrThrowWith(toJsonResult(view), (error) => error)
