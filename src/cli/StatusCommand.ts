/**
 * Says how the cluster does, as the node sees it that answers.
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { Backend } from "../client/Backend.ts"
import { version } from "../node/Version.ts"
import { ask, connected, type ConnectionFlags, connectionFlags } from "./Connection.ts"
import { Variables } from "./Help.ts"
import * as Output from "./Output.ts"
import { connectionVariables } from "./SecretVariables.ts"

type Peer = NonNullable<ClusterDescription["peers"]>[number]

const seen = (peer: Peer | undefined): string => {
  if (peer === undefined) return "not told by this node's version"
  const { suspect, lastFrameAgeMillis } = peer
  const age = lastFrameAgeMillis === null ? "" : ` ${(lastFrameAgeMillis / 1000).toFixed(1)} s ago`
  if (suspect) return age === "" ? "suspect: owes an answer" : `suspect: last heard${age}`
  return age === "" ? "not heard yet, or owes an answer" : `heard${age}`
}

/** The failure detector may reach a node through others, or know first that it is down. */
const believed = (peer: Peer | undefined): string => peer?.belief ?? "-"

const offsetOf = ({ clockOffsetMillis: millis }: Peer): string =>
  millis === undefined ? "-" : `${millis > 0 ? "+" : ""}${millis} ms`

const comparedOf = ({ lastExchange }: Peer): string => {
  if (lastExchange === undefined) return "-"
  const { ageMillis, repaired } = lastExchange
  const age = Output.ago(ageMillis)
  return repaired === 0 ? age : `${age}, ${repaired} repaired`
}

const formationText = ({ formation }: ClusterDescription): string => {
  if (formation === undefined) return "its formation is not known yet"
  const { awaited, completeness, formed } = formation
  const waits = awaited.length === 0 ? "" : `, awaits ${awaited.join(", ")}`
  return `${formed ? "formed" : "not formed"}, this node ${completeness}${waits}`
}

const print = Effect.fnUntraced(function*(backend: Backend, flags: ConnectionFlags) {
  const description = yield* ask<ClusterDescription>((respond) => backend.describe(respond))
  if (flags.json) {
    const { buckets: _, owners: __, ...told } = description
    return yield* Output.json(told)
  }
  const { buckets, cluster, members, node, partitionCount, peers } = description
  yield* Output.line(`cluster ${cluster}, as ${node} sees it: ${formationText(description)}`)
  yield* Output.table(
    ["NODE", "WEIGHT", "ZONE", "BELIEVED", "SEEN", "CLOCK", "COMPARED", "INCARNATION"],
    members.map(({ id, weight, zone }) => {
      const peer = peers?.find((known) => known.id === id)
      return [
        id,
        String(weight),
        zone ?? "-",
        id === node ? "up" : believed(peer),
        id === node ? "answers" : seen(peer),
        peer === undefined ? "-" : offsetOf(peer),
        peer === undefined ? "-" : comparedOf(peer),
        peer?.incarnation ?? "-"
      ]
    })
  )
  yield* Output.line(`${partitionCount} partitions, ${buckets.length} buckets (ls lists them)`)
})

export const status = Command.make(
  "status",
  connectionFlags,
  (flags) => connected(flags, (backend) => print(backend, flags))
).pipe(
  Command.withDescription("Show the cluster and its nodes, as one of them sees them"),
  Command.annotate(Variables, connectionVariables),
  Command.withExamples([
    { command: "everwrite status" },
    { command: "everwrite status --url http://127.0.0.1:7422", description: "as n3 of dev sees it" }
  ])
)

export const versionCommand = Command.make("version", {}, () => Output.line(version)).pipe(
  Command.withDescription("Print the version of this command line; --version does too")
)
