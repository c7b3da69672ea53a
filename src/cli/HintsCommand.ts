/**
 * Shows what a node keeps for other nodes, until they can be reached.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { HintReport } from "../../schemas/HintReport.ts"
import { questionsBy } from "../client/NodeQuestions.ts"
import { ask, connected, connectionFlags } from "./Connection.ts"
import { Variables } from "./Help.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

const summaryOf = ({ bytes, bytesMax, node, nodes }: HintReport): string => {
  const documents = nodes.reduce((sum, kept) => sum + kept.documents, 0)
  if (documents === 0) return `${node} keeps nothing for other nodes`
  const share = (100 * bytes / bytesMax).toFixed(1)
  return `${node} keeps ${documents} documents for other nodes,`
    + ` in ${bytes} bytes of ${bytesMax} that it may (${share} %)`
}

const print = Effect.fnUntraced(function*(report: HintReport) {
  yield* Output.line(summaryOf(report))
  if (report.nodes.length === 0) return
  yield* Output.table(
    ["FOR", "BELIEVED", "DOCUMENTS", "BYTES", "OLDEST", "DELIVERED"],
    report.nodes.map(({ believedUp, bytes, deliveredMillis, documents, node, oldestMillis }) => [
      node,
      believedUp ? "up" : "down",
      String(documents),
      String(bytes),
      Output.ago(oldestMillis),
      Output.ago(deliveredMillis)
    ])
  )
})

export const hints = Command.make(
  "hints",
  connectionFlags,
  (flags) =>
    connected(flags, (backend) =>
      Effect.flatMap(
        ask<HintReport>(questionsBy(backend).hints),
        (report) => flags.json ? Output.json(report) : print(report)
      ))
).pipe(
  Command.withDescription("Show what a node keeps for other nodes, until they are back"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite hints" },
    { command: "everwrite hints --url http://127.0.0.1:7422", description: "those that n3 keeps" }
  ])
)
