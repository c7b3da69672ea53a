/**
 * Runs a whole cluster in this process: `everwrite dev`. On a terminal, keys kill a node, cut one
 * off and bring it back, to show that the data survive.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Buckets from "../core/strategy/Buckets.ts"
import { NodeId } from "../core/model/Names.ts"
import type { LoadedConfig } from "../node/ConfigFile.ts"
import type { DevCluster } from "../node/DevCluster.ts"
import { fromEnvironment, fromObject } from "../node/Setting.ts"
import { jsonFlag } from "./Connection.ts"
import { fromError } from "./Failure.ts"
import * as Output from "./Output.ts"
import { keys, stopSignal } from "./Running.ts"
import { configFlag, configOf } from "./StartCommand.ts"
import { version } from "../node/Version.ts"

const plugged = (cluster: DevCluster): string =>
  cluster.embedded ? "in this process, loopback only" : "from NATS_URL"

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

const indent = (label: string, lines: ReadonlyArray<string>): string =>
  lines.map((text, index) => `  ${(index === 0 ? label : "").padEnd(9)}${text}`).join("\n")

const banner = (
  cluster: DevCluster,
  buckets: LoadedConfig["buckets"],
  hints: Readonly<Record<string, string>>
): string => {
  const { natsUrl, settings } = cluster
  const nodes = cluster.nodes()
  const addresses = nodes.map(({ address }) => address).filter((url) => url !== undefined)
  return [
    `everwrite ${version}   cluster ${settings.cluster}   Node ${process.versions.node}`,
    "",
    indent("nodes", [`${nodes.map((node) => node.settings.node).join(" ")}   in this process`]),
    indent("NATS", [`${natsUrl}   ${plugged(cluster)}`]),
    indent("HTTP", [addresses.length === 0 ? "off" : `${addresses.join("  ")}   /docs /metrics`]),
    indent("data", [settings.dataDir]),
    indent("buckets", bucketLines(buckets, hints)),
    ""
  ].join("\n")
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** The nodes that the keys are about. */
const killed = NodeId.make("n2")
const cutOff = NodeId.make("n3")

const play = Effect.fnUntraced(function*(cluster: DevCluster) {
  const pressed = yield* keys
  for (;;) {
    switch (yield* Queue.take(pressed)) {
      case "k": {
        const since = performance.now()
        yield* Output.line(`${killed} is killed`)
        yield* cluster.restart(killed)
        yield* Output.line(`${killed} is back on the same data after ${seconds(since)}`)
        break
      }
      case "p":
        if (cluster.embedded) {
          cluster.isolate(cutOff)
          yield* Output.line(`${cutOff} is cut off from the others; it takes requests by HTTP`)
        } else yield* Output.line("only a broker in this process can cut off a node")
        break
      case "h":
        cluster.heal()
        yield* Output.line("all nodes reach each other")
        break
      case "q":
        return
    }
  }
})

const announce = Effect.fnUntraced(function*(
  cluster: DevCluster,
  options: { readonly json: boolean; readonly text: string }
) {
  if (options.json) {
    const nodes = cluster.nodes().map(({ address, settings: { dataDir, node } }) => ({
      node,
      http: address ?? null,
      dataDir
    }))
    return yield* Output.json({ nats: cluster.natsUrl, nodes })
  }
  yield* Output.line(options.text)
  const hint = process.stdin.isTTY
    ? "      k kill a node   p partition   h heal   q quit"
    : ""
  yield* Output.line(`ready in ${seconds(0)}${hint}`)
})

interface DevFlags {
  readonly port: Option.Option<number>
  readonly data: Option.Option<string>
  readonly config: Option.Option<string>
  readonly json: boolean
}

const run = Effect.fnUntraced(function*(flags: DevFlags) {
  const [{ layerLogs }, { resolveDev, startDev }, samples] = yield* Effect.promise(() =>
    Promise.all([
      import("../node/Logs.ts"),
      import("../node/DevCluster.ts"),
      import("../node/SampleBuckets.ts")
    ])
  )
  const config = yield* configOf(flags.config)
  const settings = yield* resolveDev([
    fromObject({ http: Option.getOrUndefined(flags.port) }, "--port"),
    fromObject({ dataDir: Option.getOrUndefined(flags.data) }, "--data"),
    fromEnvironment(process.env),
    fromObject(config?.settings ?? {}, config?.path ?? "no file")
  ])
  const own = config !== undefined && config.buckets.length > 0
  const buckets = own ? config.buckets : samples.sampleBuckets
  const hints = own ? {} : samples.sampleNotes
  const live = Effect.gen(function*() {
    const stopped = yield* stopSignal
    const cluster = yield* startDev(settings, buckets)
    yield* announce(cluster, { json: flags.json, text: banner(cluster, buckets, hints) })
    const ended = process.stdin.isTTY ? Effect.scoped(play(cluster)) : Effect.never
    yield* Effect.raceFirst(ended, stopped)
  })
  yield* Effect.scoped(live).pipe(Effect.provide(layerLogs(settings)))
})

export const dev = Command.make(
  "dev",
  {
    port: Flag.Int("port").pipe(
      Flag.optional,
      Flag.withDescription("of the first node's HTTP, the others follow; else 7420; 0 takes any")
    ),
    data: Flag.String("data").pipe(
      Flag.optional,
      Flag.withDescription("folder of the nodes' folders; else .everwrite/dev")
    ),
    config: configFlag,
    json: jsonFlag
  },
  (flags) => run(flags).pipe(Effect.mapError((error) => fromError(error, flags)))
).pipe(Command.withDescription("Run three nodes and a broker in this process"))
