/**
 * Runs a whole cluster in this process: `everwrite dev`.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LoadedConfig } from "../node/ConfigFile.ts"
import { type DevCluster, devNodes } from "../node/DevCluster.ts"
import { fromEnvironment, fromObject } from "../node/Setting.ts"
import { jsonFlag } from "./Connection.ts"
import { banner, faint, natsAddressOf, strong } from "./DevBanner.ts"
import { keyLine, play, seconds } from "./DevKeys.ts"
import { fromError } from "./Failure.ts"
import * as Output from "./Output.ts"
import { stopSignal } from "./Running.ts"
import { configFlag, configPath, warnOfVariables } from "./StartCommand.ts"

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
    return yield* Output.json({ nats: natsAddressOf(cluster), nodes })
  }
  yield* Output.line(options.text)
  const hint = process.stdin.isTTY ? `   ${keyLine}` : ""
  yield* Output.line(`${strong(`ready in ${seconds(0)}`)}${faint(hint)}`)
})

interface DevFlags {
  readonly nodes: Option.Option<number>
  readonly port: Option.Option<number>
  readonly "nats-port": Option.Option<number>
  readonly data: Option.Option<string>
  readonly config: Option.Option<string>
  readonly json: boolean
}

/** Whether a project has buckets of its own, in whose place no samples come. */
const isOwn = (config: LoadedConfig | undefined): config is LoadedConfig =>
  config !== undefined && config.buckets.length > 0

/** The configuration of the cluster; fails with all that is wrong in it. */
export const devConfiguration = Effect.fnUntraced(function*(
  { config, data: dataDir, natsPort, nodes, port: http }: {
    readonly config: Option.Option<string>
    readonly data: string | undefined
    readonly natsPort: number | undefined
    readonly nodes?: number | undefined
    readonly port: number | undefined
  }
) {
  const [{ configure }, { resolveDev }] = yield* Effect.promise(() =>
    Promise.all([import("../node/Configuration.ts"), import("../node/DevCluster.ts")])
  )
  return yield* configure({
    environment: process.env,
    path: yield* configPath(config),
    nothingToServe: () => undefined,
    resolve: (file, loaded) =>
      resolveDev([
        fromObject({ http }, "--port"),
        fromObject({ dataDir }, "--data"),
        fromEnvironment(process.env),
        file
      ], { samples: !isOwn(loaded), natsPort, nodes })
  })
})

const run = Effect.fnUntraced(function*(flags: DevFlags) {
  const [{ layerLogs }, { startDev }, samples] = yield* Effect.promise(() =>
    Promise.all([
      import("../node/Logs.ts"),
      import("../node/DevCluster.ts"),
      import("../node/SampleBuckets.ts")
    ])
  )
  const natsPort = Option.getOrUndefined(flags["nats-port"])
  const { config, settings } = yield* devConfiguration({
    config: flags.config,
    data: Option.getOrUndefined(flags.data),
    natsPort,
    nodes: Option.getOrUndefined(flags.nodes),
    port: Option.getOrUndefined(flags.port)
  })
  const buckets = isOwn(config) ? config.buckets : samples.sampleBuckets
  const hints = isOwn(config) ? {} : samples.sampleNotes
  const live = Effect.gen(function*() {
    const stopped = yield* stopSignal
    yield* warnOfVariables()
    const cluster = yield* startDev(settings, buckets, natsPort)
    yield* announce(cluster, { json: flags.json, text: banner(cluster, buckets, hints) })
    const ended = process.stdin.isTTY ? Effect.scoped(play(cluster)) : Effect.never
    yield* Effect.raceFirst(ended, stopped)
  })
  yield* Effect.scoped(live).pipe(Effect.provide(layerLogs(settings)))
})

export const dev = Command.make(
  "dev",
  {
    nodes: Flag.Int("nodes").pipe(
      Flag.filter(
        (nodes) => nodes >= devNodes.usual && nodes <= devNodes.most,
        () => `${devNodes.usual} to ${devNodes.most}`
      ),
      Flag.optional,
      Flag.withDescription(
        `else ${devNodes.usual}; with more, others stand in for a node that is down`
      )
    ),
    port: Flag.Int("port").pipe(
      Flag.optional,
      Flag.withDescription("of the first node's HTTP, the others follow; else 7420; 0 takes any")
    ),
    "nats-port": Flag.Int("nats-port").pipe(
      Flag.filter((port) => port >= 0 && port <= 65_535, () => "0 to 65535"),
      Flag.optional,
      Flag.withDescription("of the broker; else 4222, or any where that is taken; 0 takes any")
    ),
    data: Flag.String("data").pipe(
      Flag.optional,
      Flag.withDescription(
        "folder of the nodes' folders; else .everwrite/dev, of the samples .everwrite/dev-samples"
      )
    ),
    config: configFlag,
    json: jsonFlag
  },
  (flags) => run(flags).pipe(Effect.mapError((error) => fromError(error, flags)))
).pipe(
  Command.withDescription("Run a cluster of nodes and a broker in this process"),
  Command.withExamples([
    {
      command: "everwrite dev",
      description: "with sample buckets, or those of everwrite.config.*"
    },
    { command: "everwrite dev --nodes 5", description: "to see others stand in for a node" },
    { command: "everwrite dev --config mine/everwrite.config.ts" },
    { command: "everwrite dev --port 0 --nats-port 0", description: "beside another one" }
  ])
)
