/**
 * Makes handles: for each bucket the methods that its declaration calls for, as tasks, which
 * `lift` turns into Effects or Promises.
 */
import type { CallBody } from "../../schemas/ClientRequest.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"
import type { Written } from "./Entry.ts"
import type { Edit, OperationOptions, ReadOptions, SeenDocument, WriteOptions } from "./Handle.ts"
import { inCall } from "./MisfitCall.ts"
import type { Requester } from "./Requester.ts"
import * as Task from "./Task.ts"

/** Turns a task into what the caller awaits. */
export type Lift = (task: Task.Task<any, any>) => unknown

type Method = (...args: ReadonlyArray<any>) => unknown
type Methods = Record<string, Method | Record<string, unknown>>

const isSeen = (key: unknown): key is SeenDocument<string, unknown> =>
  typeof key === "object" && key !== null && "key" in key && "context" in key

const callOf = (bucket: Any, name: string, args: ReadonlyArray<unknown>): CallBody => {
  const codecs = bucket.code.arguments.get(name) ?? []
  return { name, args: codecs.map((codec, i) => argument(codec, i, args[i])) }
}

/** JSON of one argument; a refusal says which one it was. */
const argument = (
  codec: { readonly encode: (value: any) => CallBody["args"][number] },
  index: number,
  value: unknown
): CallBody["args"][number] => {
  try {
    return codec.encode(value)
  } catch (thrown) {
    if (!(thrown instanceof SchemaMismatch)) throw thrown
    throw new SchemaMismatch(`$[${index}]${thrown.path.slice(1)}`, thrown.problem)
  }
}

/** An edit may be written by hand, without the builder. */
const checked = (edit: Edit, index: number): Edit => {
  inCall({ operation: edit.name, index }, () => CanonicalJson.check(edit.args))
  return edit
}

/** Puts a method where its dotted name says: `lines.add` becomes `handle.lines.add`. */
const place = (into: Methods, name: string, method: Method): void => {
  const path = name.split(".")
  const last = path.pop()!
  let here: Record<string, any> = into
  for (const step of path) {
    // A field may bear a name that every object has, such as `constructor`.
    if (!Object.hasOwn(here, step)) here[step] = {}
    here = here[step]
  }
  here[last] = method
}

const valueOf = (entry: Written<string, unknown, any>): any =>
  entry._tag === "Found" ? entry.value : undefined

const reads = (bucket: Any, requester: Requester, lift: Lift): Methods => ({
  get: (key: unknown, options?: ReadOptions) =>
    lift(Task.map(requester.read(bucket, key, options), valueOf)),
  entry: (key: unknown, options?: ReadOptions) => lift(requester.read(bucket, key, options)),
  many: (keys: Iterable<unknown>, options?: ReadOptions) =>
    lift(
      Task.all(
        [...keys].map((key) => requester.readOfMany(bucket, key, options)),
        requester.limits.manyMax
      )
    )
})

/**
 * A read for an update. Where it asked for one replica and reached none it shows nothing: the
 * update is written all the same, and stands beside what it has not seen (Dynamo, section 4.4).
 */
const readToUpdate =
  <A, E extends StoreError>(read: Task.Task<A, E>): Task.Task<A | undefined, E> =>
  (succeed, fail, die, trace) =>
    read(
      succeed,
      (error) => (reachedNone(error) ? succeed(undefined) : fail(error)),
      die,
      trace
    )

const reachedNone = (error: StoreError): boolean =>
  error._tag === "QuorumNotMet" && error.needed["r"] === 1 && error.needed["pr"] === 0

const writes = (bucket: Any, requester: Requester, lift: Lift): Methods => {
  const write = (
    key: unknown,
    value: never,
    context: string | undefined,
    options: WriteOptions | undefined
  ) => {
    const calls = () => [{ name: "put", args: [bucket.code.encodeValue(value)] }]
    return requester.write({ bucket, key, calls, context, options })
  }
  const all: Methods = {
    put: (key: unknown, value: never, options?: Options) =>
      lift(write(key, value, options?.seen?.context, options)),
    replace: (seen: SeenDocument<string, unknown>, value: never, options?: WriteOptions) =>
      lift(write(seen.key, value, seen.context, options)),
    update: (
      key: unknown,
      change: (current: unknown) => never,
      options?: ReadOptions & WriteOptions
    ) =>
      lift(
        Task.andThen(
          readToUpdate(requester.read(bucket, key, options)),
          (entry) => write(key, change(entry && valueOf(entry)), entry?.context, options)
        )
      ),
    edit: (key: unknown, change: (document: any) => ReadonlyArray<Edit>, options?: Options) =>
      lift(operate(bucket, requester, key, () => change(builder(bucket)).map(checked), options))
  }
  const offered: ReadonlyArray<string> = bucket.surface
  return Object.fromEntries(Object.entries(all).filter(([name]) => offered.includes(name)))
}

type Options = OperationOptions<string>

const operate = (
  bucket: Any,
  requester: Requester,
  key: unknown,
  calls: () => ReadonlyArray<CallBody>,
  options: Options | undefined
) => requester.write({ bucket, key, calls, context: options?.seen?.context, options })

/** Makes edits instead of requests: what `edit` hands to the caller. */
const builder = (bucket: Any): Methods => {
  const built: Methods = {}
  let made = 0
  for (const name of bucket.code.arguments.keys()) {
    place(
      built,
      name,
      (...args): Edit =>
        inCall({ operation: name, index: made++ }, () => callOf(bucket, name, args))
    )
  }
  return built
}

const operations = (bucket: Any, requester: Requester, lift: Lift): Methods => {
  const methods: Methods = {}
  if (!bucket.surface.includes("edit")) return methods
  for (const [name, codecs] of bucket.code.arguments) {
    place(methods, name, (key: unknown, ...args) => {
      const options: Options | undefined = args[codecs.length]
      const call = () =>
        inCall({ operation: name, index: undefined }, () => callOf(bucket, name, args))
      return lift(operate(bucket, requester, key, () => [call()], options))
    })
  }
  return methods
}

const deleteCalls = () => [{ name: "delete", args: [] }]

/** Deletes values that were seen; it reads first where a blind delete would take unseen ones. */
const deletes = (bucket: Any, requester: Requester, lift: Lift): Methods => {
  const write = (key: unknown, context: string | undefined, options: WriteOptions | undefined) =>
    requester.write({ bucket, key, calls: deleteCalls, context, options })
  return {
    delete: (seen: unknown, options?: WriteOptions) => {
      if (isSeen(seen)) return lift(write(seen.key, seen.context, options))
      if (!bucket.surface.includes("replace")) return lift(write(seen, undefined, options))
      const read = requester.read(bucket, seen, options)
      return lift(Task.andThen(read, (entry) => write(seen, entry.context, options)))
    }
  }
}

/** The handle to a bucket; its static type is `HandleOf` of the bucket. */
export const makeHandle = (bucket: Any, requester: Requester, lift: Lift): any => ({
  ...operations(bucket, requester, lift),
  ...reads(bucket, requester, lift),
  ...writes(bucket, requester, lift),
  ...deletes(bucket, requester, lift)
})
