/**
 * Shows all nodes of a cluster in one table, each as it tells of itself.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { ClusterStatus, NodeStatus } from "../../schemas/ClusterStatus.ts"
import { questionsBy } from "../client/NodeQuestions.ts"
import { ask, connected, connectionFlags, timeoutField } from "./Connection.ts"
import { Variables } from "./Help.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

type Peers = NodeStatus["peers"]

/** The nodes that it does not believe up, and why. */
const seenBy = (peers: Peers): string => {
  const others = peers.flatMap(({ belief = "up", id, suspect }) =>
    belief === "up" && !suspect ? [] : [`${id} ${belief === "up" ? "suspect" : belief}`]
  )
  return others.length === 0 ? "all up" : others.join(", ")
}

/** How far the others' clocks are from its own, at most. */
const clockOf = (peers: Peers): string => {
  const offsets = peers.flatMap(({ clockOffsetMillis: millis }) => millis ?? [])
  return offsets.length === 0 ? "-" : `${Math.max(...offsets.map(Math.abs))} ms`
}

const owesOf = ({ nodes }: NodeStatus["hints"]): string => {
  const owed = nodes.filter(({ documents }) => documents > 0)
  if (owed.length === 0) return "nothing"
  return owed.map(({ bytes, documents, node }) => `${node} ${documents} (${bytes} B)`).join(", ")
}

const exchangesOf = (peers: Peers): readonly [age: string, differences: string] => {
  const exchanges = peers.flatMap(({ lastExchange }) => lastExchange ?? [])
  if (exchanges.length === 0) return ["-", "-"]
  const differences = exchanges.reduce((sum, exchange) => sum + exchange.differences, 0)
  const age = Math.min(...exchanges.map(({ ageMillis }) => ageMillis))
  return [Output.ago(age), String(differences)]
}

export const headings = [
  "NODE",
  "STORE",
  "SEES",
  "CLOCKS",
  "OWES",
  "COMPARED",
  "DIFFERENCES",
  "INCARNATION"
]

/** The row of a node. */
export const rowOf = ({ node, told }: ClusterStatus["nodes"][number]): ReadonlyArray<string> => {
  if (told === undefined) return [node, "does not answer"]
  const { formation, hints, incarnation, peers } = told
  return [
    node,
    formation.formed ? formation.completeness : "not formed",
    seenBy(peers),
    clockOf(peers),
    owesOf(hints),
    ...exchangesOf(peers),
    incarnation
  ]
}

const print = Effect.fnUntraced(function*({ cluster, node, nodes }: ClusterStatus) {
  const answered = nodes.filter(({ told }) => told !== undefined).length
  yield* Output.line(`cluster ${cluster}, asked by ${node}: ${answered} of ${nodes.length} answer`)
  yield* Output.table(headings, nodes.map(rowOf))
})

const status = Command.make(
  "status",
  connectionFlags,
  (flags) =>
    connected(flags, (backend) =>
      Effect.flatMap(
        ask<ClusterStatus>((respond) => questionsBy(backend).status(timeoutField(flags), respond)),
        (told) => flags.json ? Output.json(told) : print(told)
      ))
).pipe(
  Command.withDescription("Ask each node for its state, and show them in one table"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite cluster status" },
    { command: "everwrite cluster status --timeout 500ms", description: "wait less for the dead" }
  ])
)

export const clusterCommand = Command.make("cluster").pipe(
  Command.withDescription("Show all nodes at once: cluster status"),
  Command.withSubcommands([status]),
  Command.withExamples([{ command: "everwrite cluster status" }])
)
