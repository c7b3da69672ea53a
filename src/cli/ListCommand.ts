/**
 * Lists the buckets, or the keys of one with what is asked for of each: page after page, since a
 * bucket may hold more than anyone wants to see.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type KeyPage, pageMax } from "../../schemas/KeyPage.ts"
import type { Backend, BackendAnswer } from "../client/Backend.ts"
import { commandLine } from "../core/model/EdgeLimits.ts"
import type { BucketName } from "../core/model/Names.ts"
import { printBuckets } from "./BucketCommands.ts"
import {
  ask,
  bucketName,
  connected,
  type ConnectionFlags,
  connectionFlags,
  timeoutField
} from "./Connection.ts"
import { Misuse } from "./Failure.ts"
import { Variables } from "./Help.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

interface ListFlags extends ConnectionFlags {
  readonly bucket: Option.Option<string>
  readonly limit: Option.Option<number>
  readonly after: Option.Option<string>
  readonly prefix: Option.Option<string>
  readonly values: boolean
  readonly count: boolean
  readonly partial: boolean
}

type Key = KeyPage["keys"][number]

/** A page in which at most `left` keys begin as asked, and those keys. */
const pageOf = Effect.fnUntraced(function*(
  backend: Backend,
  bucket: BucketName,
  flags: ListFlags,
  at: { readonly after: string | undefined; readonly left: number }
) {
  const { after, left } = at
  const prefix = Option.getOrElse(flags.prefix, () => "")
  const begins = (key: Key) => textOf(key).startsWith(prefix)
  // Where a prefix leaves few of the keys, small pages would be many.
  let limit = prefix === "" ? Math.min(left, pageMax) : pageMax
  for (;;) {
    const page = yield* ask<KeyPage>((respond) =>
      backend.list({
        bucket,
        partial: flags.partial,
        limit,
        ...after === undefined ? {} : { after },
        ...timeoutField(flags)
      }, respond)
    )
    const fitting = page.keys.filter(begins)
    const last = fitting[left - 1]
    if (fitting.length <= left || last === undefined) return { page, keys: fitting }
    // Read again to end with the last that is asked for, since the next page begins after it.
    limit = page.keys.indexOf(last) + 1
  }
})

const textOf = (key: Key): string => typeof key === "string" ? key : JSON.stringify(key)

/** Prints keys with their values; one that is gone by now has none. */
const printValues = Effect.fnUntraced(function*(
  backend: Backend,
  bucket: BucketName,
  flags: ListFlags,
  keys: ReadonlyArray<Key>
) {
  const read = (key: Key) =>
    ask<BackendAnswer>((respond) =>
      backend.request({
        action: "read",
        bucket,
        body: { key, merge: true, ...timeoutField(flags) }
      }, respond)
    )
  const answers = yield* Effect.forEach(keys, read, { concurrency: commandLine.readsAtOnce })
  for (const [index, { values }] of answers.entries()) {
    const key = keys[index]!
    if (flags.json) yield* Output.json({ key, values })
    else yield* Output.line([Output.plain(key), ...values.map(Output.jsonText)].join("\t"))
  }
})

/** The command that goes on where a list ended. */
const nextCommand = (bucket: string, next: string): string =>
  `there may be more: everwrite ls ${bucket} --after '${next}'`

const printKeys = Effect.fnUntraced(function*(backend: Backend, flags: ListFlags, name: string) {
  const bucket = yield* bucketName(name)
  const missing = new Set<string>()
  const limit = Option.getOrElse(flags.limit, () => Infinity)
  let after = Option.getOrUndefined(flags.after)
  let found = 0
  for (;;) {
    const { keys, page } = yield* pageOf(backend, bucket, flags, { after, left: limit - found })
    found += keys.length
    if (flags.values) yield* printValues(backend, bucket, flags, keys)
    else if (!flags.count) {
      for (const key of keys) yield* flags.json ? Output.json(key) : Output.line(Output.plain(key))
    }
    if (page.partial === true) {
      const refused = page.refused.map(({ node }) => node)
      for (const node of [...page.unreachable, ...refused]) missing.add(node)
    }
    after = page.next
    if (after === undefined || found >= limit) break
  }
  if (flags.count) yield* flags.json ? Output.json({ count: found }) : Output.line(String(found))
  if (after !== undefined) yield* Output.note(nextCommand(bucket, after))
  if (missing.size > 0) {
    yield* Output.note(`${[...missing].join(", ")} did not answer: keys are missing`)
  }
})

const problemOf = ({ after, bucket, count, limit, prefix, values }: ListFlags) => {
  if (count && values) return "--count prints no values: leave one of the two out"
  const ofKeys = count || values || [after, limit, prefix].some((flag) => flag._tag === "Some")
  return Option.isNone(bucket) && ofKeys
    ? "a bucket is missing: --after, --count, --limit, --prefix and --values are about its keys"
    : undefined
}

export const ls = Command.make(
  "ls",
  {
    ...connectionFlags,
    bucket: Argument.String("bucket").pipe(
      Argument.optional,
      Argument.withDescription("the bucket whose keys to list; else the buckets are listed")
    ),
    prefix: Flag.String("prefix").pipe(
      Flag.optional,
      Flag.withDescription("only keys that begin with it; all keys are looked at")
    ),
    values: Flag.Boolean("values").pipe(
      Flag.withDefault(false),
      Flag.withDescription("read each document, and print its value after the key and a tab")
    ),
    count: Flag.Boolean("count").pipe(
      Flag.withDefault(false),
      Flag.withDescription("print how many keys there are, and not the keys")
    ),
    limit: Flag.Int("limit").pipe(
      Flag.filter((limit) => limit >= 1, () => "1 or more"),
      Flag.optional,
      Flag.withDescription("most keys to list, and how to go on; else all")
    ),
    after: Flag.String("after").pipe(
      Flag.optional,
      Flag.withDescription("go on where the list ended that named it")
    ),
    partial: Flag.Boolean("partial").pipe(
      Flag.withDefault(false),
      Flag.withDescription("list what can be reached, where some partitions cannot")
    )
  },
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const problem = problemOf(flags)
        if (problem !== undefined) return yield* new Misuse({ problem })
        if (Option.isNone(flags.bucket)) return yield* printBuckets(backend, flags)
        yield* printKeys(backend, flags, flags.bucket.value)
      }))
).pipe(
  Command.withDescription("List the buckets, or the keys of one"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite ls" },
    { command: "everwrite ls carts --limit 20 --values" },
    { command: "everwrite ls carts --prefix a --count" }
  ])
)
