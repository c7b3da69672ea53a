/**
 * Reads documents of several buckets at once, so that one that cannot be read costs no other.
 */
import * as Result from "effect/Result"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Any, Bucket } from "../core/strategy/Bucket.ts"
import type { KeyOf } from "./BucketTypes.ts"
import type { Entry } from "./Entry.ts"
import type { ReadOptions } from "./Handle.ts"
import type { Requester } from "./Requester.ts"
import * as Task from "./Task.ts"

/** A document that could not be read, and why. */
export interface Failed<Name extends string, K> {
  readonly _tag: "Failed"
  readonly bucket: Name
  readonly key: K
  readonly error: StoreError
}

/** The keys that are asked of each bucket, by the program's name for it. */
export type AskedKeys<B extends Readonly<Record<string, Any>>> = {
  readonly [Name in keyof B]?: Iterable<KeyOf<B[Name]>>
}

type OutcomeOf<B extends Any> = B extends Bucket<infer Name, infer K, infer View, never, any, any>
  ? Entry<Name, K, View> | Failed<Name, K>
  : never

/** The outcomes for each bucket that was asked, in the order of its keys. */
export type ReadMany<B extends Readonly<Record<string, Any>>, Asked> = {
  readonly [Name in keyof B & keyof Asked]: ReadonlyArray<OutcomeOf<B[Name]>>
}

const settled = (
  bucket: Any,
  key: unknown,
  task: Task.Task<unknown, StoreError>
): Task.Task<unknown, never> =>
(succeed, _fail, die, trace) =>
  task(
    succeed,
    (error) => succeed({ _tag: "Failed", bucket: bucket.name, key, error }),
    die,
    trace
  )

export const readMany = (
  buckets: Readonly<Record<string, Any>>,
  requester: Requester,
  asked: Readonly<Record<string, Iterable<unknown> | undefined>>,
  options: ReadOptions | undefined
): Task.Task<any, never> => {
  const names: Array<string> = []
  const tasks: Array<Task.Task<unknown, never>> = []
  for (const [name, keys = []] of Object.entries(asked)) {
    const bucket = Object.hasOwn(buckets, name) ? buckets[name] : undefined
    if (bucket === undefined) continue
    for (const key of keys) {
      names.push(name)
      tasks.push(settled(bucket, key, requester.readOfMany(bucket, key, options)))
    }
  }
  return Task.map(Task.all(tasks, requester.limits.manyMax), (outcomes) => {
    const empty = Object.keys(asked).map((name): [string, Array<unknown>] => [name, []])
    const byName = new Map(empty)
    for (const [index, outcome] of outcomes.entries()) byName.get(names[index]!)!.push(outcome)
    return Object.fromEntries(byName)
  })
}

/** Buckets with the keys that are asked of each, by names that the program chooses. */
export type AskedBuckets<B extends Readonly<Record<string, Any>>> = {
  readonly [Name in keyof B]: readonly [bucket: B[Name], keys: Iterable<KeyOf<B[Name]>>]
}

type EntryOf<B extends Any> = B extends Bucket<infer Name, infer K, infer View, never, any, any>
  ? Entry<Name, K, View>
  : never

/** The entry of each key, or why it could not be read, in the order of the keys. */
export type ReadResults<B extends Readonly<Record<string, Any>>> = {
  readonly [Name in keyof B]: ReadonlyArray<Result.Result<EntryOf<B[Name]>, StoreError>>
}

const resultOf = (outcome: { readonly _tag: string; readonly error?: StoreError }) =>
  outcome._tag === "Failed" ? Result.fail(outcome.error) : Result.succeed(outcome)

/** The same with the buckets at hand, and each outcome as a `Result`. */
export const readResults = (
  asked: Readonly<Record<string, readonly [bucket: Any, keys: Iterable<unknown>]>>,
  requester: Requester,
  options: ReadOptions | undefined
): Task.Task<any, never> => {
  const entries = Object.entries(asked)
  const buckets = Object.fromEntries(entries.map(([name, [bucket]]) => [name, bucket]))
  const keys = Object.fromEntries(entries.map(([name, [, all]]) => [name, all]))
  return Task.map(
    readMany(buckets, requester, keys, options),
    (read: Record<string, Array<any>>) =>
      Object.fromEntries(Object.entries(read).map(([name, all]) => [name, all.map(resultOf)]))
  )
}
