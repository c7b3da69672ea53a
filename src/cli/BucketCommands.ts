/**
 * Lists the buckets and the keys of one, and shows where a document lies (`explain`).
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BucketBody, ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { Backend } from "../client/Backend.ts"
import {
  ask,
  bucketName,
  connected,
  type ConnectionFlags,
  connectionFlags,
  describedBucket,
  timeoutField
} from "./Connection.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

const strategyOf = ({ definition }: BucketBody): string => {
  const { strategy } = definition
  return "type" in strategy ? `${strategy.family} ${strategy.type.type}` : strategy.family
}

const keyOf = ({ definition: { key } }: BucketBody): string =>
  key.bare ? "text" : `{${[...key.partition, ...key.sort].map(([name]) => name).join(", ")}}`

const printBuckets = Effect.fnUntraced(function*(backend: Backend, flags: ConnectionFlags) {
  const cluster = yield* ask<ClusterDescription>((respond) => backend.describe(respond))
  if (flags.json) return yield* Output.json(cluster)
  const rows = cluster.buckets.map((bucket) => [
    bucket.definition.name,
    strategyOf(bucket),
    keyOf(bucket),
    String(bucket.definition.n),
    bucket.hasCode ? "yes" : "no",
    Object.keys(bucket.operations).join(" ")
  ])
  const { formation, node } = cluster
  if (formation !== undefined && formation.completeness !== "complete") {
    const awaited = formation.awaited.length > 0 ? `; awaits ${formation.awaited.join(", ")}` : ""
    const state = formation.formed ? "formed" : "has not formed"
    yield* Output.note(`${node} is ${formation.completeness}: the cluster ${state}${awaited}`)
  }
  yield* Output.table(["BUCKET", "STRATEGY", "KEY", "N", "CODE", "OPERATIONS"], rows)
})

const printKeys = Effect.fnUntraced(function*(
  backend: Backend,
  flags: ConnectionFlags & { readonly limit: Option.Option<number>; readonly partial: boolean },
  name: string
) {
  const bucket = yield* bucketName(name)
  const { json, partial } = flags
  const missing = new Set<string>()
  let left = Option.getOrElse(flags.limit, () => Infinity)
  let page: KeyPage = { keys: [], next: "", unreachable: [], refused: [] }
  while (page.next !== undefined && left > 0) {
    const after = page.next === "" ? {} : { after: page.next }
    page = yield* ask<KeyPage>((respond) =>
      backend.list({ bucket, partial, ...after, ...timeoutField(flags) }, respond)
    )
    const keys = page.keys.slice(0, left)
    left -= keys.length
    for (const key of keys) yield* json ? Output.json(key) : Output.line(Output.plain(key))
    if (page.partial !== true) continue
    for (const node of [...page.unreachable, ...page.refused.map(({ node }) => node)]) {
      missing.add(node)
    }
  }
  if (missing.size > 0) {
    yield* Output.note(`${[...missing].join(", ")} did not answer: keys are missing`)
  }
})

export const ls = Command.make(
  "ls",
  {
    ...connectionFlags,
    bucket: Argument.String("bucket").pipe(Argument.optional),
    limit: Flag.Int("limit").pipe(Flag.optional, Flag.withDescription("most keys to list")),
    partial: Flag.Boolean("partial").pipe(
      Flag.withDefault(false),
      Flag.withDescription("list what can be reached, where some partitions cannot")
    )
  },
  (flags) =>
    connected(flags, (backend) =>
      Option.isNone(flags.bucket)
        ? printBuckets(backend, flags)
        : printKeys(backend, flags, flags.bucket.value))
).pipe(Command.withDescription("List the buckets, or the keys of one"))

type Replica = Explanation["replicas"][number]

const seenBy = ({ context }: Pick<Replica, "context">): string =>
  context.map(({ counter, node }) => `${node}:${counter}`).join(" ")

const printExplanation = Effect.fnUntraced(function*(explanation: Explanation) {
  const { agreed, explainedBy, joined, partition, preferenceList, replicas } = explanation
  const nodes = (role: "fallback" | "primary") =>
    preferenceList.filter((node) => node.role === role).map(({ node }) => node).join(" ")
  const fallbacks = nodes("fallback")
  yield* Output.line(
    `partition ${partition} -> ${nodes("primary")}`
      + (fallbacks === "" ? "" : `, then ${fallbacks}`) + `   asked by ${explainedBy}`
  )
  const rows = replicas.map((replica) => [
    replica.node,
    replica.reason === undefined ? replica.outcome : `${replica.outcome}: ${replica.reason}`,
    String(replica.bytes),
    replica.digest,
    seenBy(replica),
    replica.values.map(Output.cell).join(" | ")
  ])
  yield* Output.table(["REPLICA", "OUTCOME", "BYTES", "DIGEST", "SEEN", "HOLDS"], rows)
  yield* Output.line(agreed ? "all replicas are equal" : "the replicas are not equal")
  const values = joined.merged === undefined ? joined.values : [joined.merged]
  yield* Output.line(
    `a reader of all gets ${values.length === 0 ? "nothing" : values.map(Output.cell).join(" | ")}`
  )
})

export const explain = Command.make(
  "explain",
  { ...connectionFlags, bucket: Argument.String("bucket"), key: Argument.String("key") },
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const bucket = yield* describedBucket(backend, flags.bucket)
        const key = yield* Input.key(bucket, flags.key)
        const { name } = bucket.definition
        const explanation = yield* ask<Explanation>((respond) =>
          backend.explain({ bucket: name, key, ...timeoutField(flags) }, respond)
        )
        yield* flags.json ? Output.json(explanation) : printExplanation(explanation)
      }))
).pipe(Command.withDescription("Show where a document lies and the state of each replica"))
