/**
 * Writes the lines that `everwrite dev` begins with: where its nodes and its broker are, where the
 * data lie, and which buckets there are to try. They fit a terminal of 80 columns.
 */
import { styleText } from "node:util"
import * as Buckets from "../core/strategy/Buckets.ts"
import type { LoadedConfig } from "../node/ConfigFile.ts"
import type { DevCluster } from "../node/DevCluster.ts"
import { version } from "../node/Version.ts"

/** Colours show on a terminal alone, and not where NO_COLOR is set. */
export const strong = (text: string): string => styleText("bold", text)
export const faint = (text: string): string => styleText("dim", text)

/** One bucket a line: its strategy, and how to try it where it is one of the samples. */
const bucketLines = (
  buckets: LoadedConfig["buckets"],
  hints: Readonly<Record<string, string>>
): ReadonlyArray<string> => {
  const known = [...Buckets.make(buckets).values()]
  const width = Math.max(...known.map(({ definition }) => definition.name.length))
  return known.map(({ definition: { name }, strategy }) =>
    `${name.padEnd(width)}  ${hints[name] ?? strategy.name}`
  )
}

/** Where NATS is, without the credentials that NATS_URL may hold. */
export const natsAddressOf = ({ embedded, natsUrl, nodes }: DevCluster): string =>
  embedded ? natsUrl : nodes()[0]?.natsAddress ?? ""

const natsLines = (cluster: DevCluster): ReadonlyArray<string> => {
  const { embedded, isUsualPortTaken } = cluster
  if (!embedded) return [`${natsAddressOf(cluster)}   from NATS_URL`]
  const address = `${natsAddressOf(cluster)}   in this process, loopback only`
  return isUsualPortTaken ? [address, "another program has port 4222"] : [address]
}

const httpLines = (cluster: DevCluster): ReadonlyArray<string> => {
  const lines = cluster.nodes().flatMap(({ address, settings: { node } }) =>
    address === undefined ? [] : [`${address}   ${node}`]
  )
  const [first, ...others] = lines
  return first === undefined ? ["off"] : [`${first}   (each has /docs and /metrics)`, ...others]
}

const labelled = (label: string, lines: ReadonlyArray<string>): string =>
  lines.map((text, index) => `  ${faint((index === 0 ? label : "").padEnd(9))}${text}`).join("\n")

export const banner = (
  cluster: DevCluster,
  buckets: LoadedConfig["buckets"],
  hints: Readonly<Record<string, string>>
): string => {
  const { settings } = cluster
  const nodes = cluster.nodes().map((node) => node.settings.node)
  const about = `cluster ${settings.cluster}   Node ${process.versions.node}`
  return [
    `${strong(`everwrite ${version}`)}   ${about}`,
    "",
    labelled("nodes", [`${nodes.join(" ")}   in this process`]),
    labelled("NATS", natsLines(cluster)),
    labelled("HTTP", httpLines(cluster)),
    labelled("data", [settings.dataDir]),
    labelled("buckets", bucketLines(buckets, hints)),
    ""
  ].join("\n")
}
