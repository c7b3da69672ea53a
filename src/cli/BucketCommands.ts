/**
 * Shows the buckets, for `ls`, and where a document lies (`explain`).
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { BucketBody, ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { Backend } from "../client/Backend.ts"
import {
  ask,
  connected,
  type ConnectionFlags,
  connectionFlags,
  describedBucket,
  timeoutField
} from "./Connection.ts"
import { Variables } from "./Help.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

const strategyOf = ({ definition }: BucketBody): string => {
  const { strategy } = definition
  return "type" in strategy ? `${strategy.family} ${strategy.type.type}` : strategy.family
}

const keyOf = ({ definition: { key } }: BucketBody): string =>
  key.bare ? "text" : `{${[...key.partition, ...key.sort].map(([name]) => name).join(", ")}}`

export const printBuckets = Effect.fnUntraced(function*(backend: Backend, flags: ConnectionFlags) {
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

type Replica = Explanation["replicas"][number]

const seenBy = ({ context }: Pick<Replica, "context">): string =>
  context.map(({ counter, node }) => `${node}:${counter}`).join(" ")

/** The nodes that hold each version, and the way to make them equal. */
export const differenceOf = (
  { bucket, replicas }: Pick<Explanation, "bucket" | "replicas">
): string => {
  const held = replicas.filter(({ outcome }) => outcome !== "refused" && outcome !== "unreachable")
  const versions = Map.groupBy(held, ({ digest, outcome }) => `${outcome} ${digest}`)
  if (versions.size < 2) return "the replicas are not known to be equal"
  const each = [...versions.values()].map((alike) => alike.map(({ node }) => node).join(" "))
  return `the replicas are not equal: ${each.join(" | ")} hold different versions;`
    + ` the nodes compare them now and then, and everwrite sync ${bucket} does it now`
}

/** What is kept of the document for its owners: a line for each, and none where nothing is. */
export const keptLines = ({ hints }: Pick<Explanation, "hints">): ReadonlyArray<string> => {
  if (hints === undefined) return []
  const { kept, untold } = hints
  return [
    ...kept.map(({ ageMillis, bytes, node, owner }) =>
      `${node} keeps ${bytes} bytes of it for ${owner}, since ${Output.ago(ageMillis)}`
    ),
    ...untold.length === 0 ? [] : [`${untold.join(" ")} did not tell what is kept there`]
  ]
}

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
  yield* Output.line(agreed ? "all replicas are equal" : differenceOf(explanation))
  for (const kept of keptLines(explanation)) yield* Output.line(kept)
  const values = joined.merged === undefined ? joined.values : [joined.merged]
  const none = replicas.some(({ outcome }) => outcome === "deleted")
    ? "nothing: the document is deleted"
    : "nothing"
  yield* Output.line(
    `a reader of all gets ${values.length === 0 ? none : values.map(Output.cell).join(" | ")}`
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
).pipe(
  Command.withDescription("Show where a document lies and the state of each replica"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([{ command: "everwrite explain carts alice" }])
)
