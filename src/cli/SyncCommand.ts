/**
 * Has a node compare its documents with those of all others now, and says what came of it.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { NodeSync, SyncReport } from "../../schemas/SyncReport.ts"
import { questionsBy } from "../client/NodeQuestions.ts"
import { ask, bucketName, connected, connectionFlags, timeoutField } from "./Connection.ts"
import { Variables } from "./Help.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

const outcomeOf = ({ outcome, reason, skipped = 0 }: NodeSync): string =>
  reason !== undefined
    ? `${outcome}: ${reason}`
    : skipped > 0
    ? `${outcome}, but for ${skipped} partitions`
    : outcome

const verdictOf = ({ nodes }: SyncReport): string => {
  const open = nodes.filter(({ outcome, skipped = 0 }) => outcome !== "compared" || skipped > 0)
    .map(({ node }) => node)
  const differences = nodes.reduce((sum, found) => sum + found.differences, 0)
  const repaired = nodes.reduce((sum, found) => sum + found.repaired, 0)
  const rest = open.length === 0 ? "" : `; not compared to the end: ${open.join(", ")}`
  return `${differences} differences found, ${repaired} documents repaired${rest}`
}

const print = Effect.fnUntraced(function*(report: SyncReport) {
  const { bucket = "all buckets", node, nodes } = report
  yield* Output.line(`${node} compares its documents of ${bucket} with those of the other nodes`)
  yield* Output.table(
    ["NODE", "OUTCOME", "DIFFERENCES", "REPAIRED"],
    nodes.map((found) => [
      found.node,
      outcomeOf(found),
      String(found.differences),
      String(found.repaired)
    ])
  )
  yield* Output.line(verdictOf(report))
})

export const sync = Command.make(
  "sync",
  { ...connectionFlags, bucket: Argument.String("bucket").pipe(Argument.optional) },
  (flags) =>
    connected(flags, (backend) =>
      Effect.gen(function*() {
        const named = Option.isSome(flags.bucket)
          ? { bucket: yield* bucketName(flags.bucket.value) }
          : {}
        const report = yield* ask<SyncReport>((respond) =>
          questionsBy(backend).sync({ ...named, ...timeoutField(flags) }, respond)
        )
        yield* flags.json ? Output.json(report) : print(report)
      }))
).pipe(
  Command.withDescription(
    "Compare a node's documents with those of the others now, and repair both"
  ),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite sync" },
    { command: "everwrite sync carts --timeout 60s", description: "one bucket, for up to a minute" }
  ])
)
