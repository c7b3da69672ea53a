/**
 * Runs one node of a cluster until it is told to stop: `everwrite start`. Every setting that is no
 * secret has its flag, made from the settings' own list.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { flushCompileCache } from "node:module"
import type { LoadedConfig } from "../node/ConfigFile.ts"
import {
  type AnySetting,
  flagName,
  fromEnvironment,
  fromFlags,
  fromObject
} from "../node/Setting.ts"
import { resolve, settingNames, settings } from "../node/Settings.ts"
import { trimmed } from "../core/model/VisibleText.ts"
import { jsonFlag } from "./Connection.ts"
import { fromError } from "./Failure.ts"
import { Variables } from "./Help.ts"
import { plain } from "./Output.ts"
import { secretVariables } from "./SecretVariables.ts"
import { stopSignal } from "./Running.ts"

export const configFlag = Flag.String("config").pipe(
  Flag.optional,
  Flag.withDescription("file with the buckets; else EVERWRITE_CONFIG, else everwrite.config.*")
)

/** The path of the config file that is named, or of the one in this folder, or none. */
export const configPath = Effect.fnUntraced(function*(named: Option.Option<string>) {
  const { findConfig } = yield* Effect.promise(() => import("../node/ConfigFile.ts"))
  const given = trimmed(Option.getOrUndefined(named) ?? process.env["EVERWRITE_CONFIG"] ?? "")
  return given === "" ? findConfig(".") : given
})

/** Tells of variables that nobody reads. */
export const warnOfVariables = Effect.fnUntraced(function*() {
  const { unknownVariables } = yield* Effect.promise(() => import("../node/Configuration.ts"))
  yield* Effect.forEach(unknownVariables(process.env), (text) => Effect.logWarning(text))
})

const nothingToServe = (config: LoadedConfig | undefined): string | undefined =>
  config !== undefined && config.buckets.length > 0
    ? undefined
    : "there are no buckets to serve: give a file that has some with --config"

const describe = ({ about, otherwise, variable }: AnySetting): string => {
  const usual = otherwise === undefined ? "" : `, else ${plain(otherwise)}`
  return `${about} (else ${variable}${usual})`
}

const switches = ["form", "acceptLoss", "waitForNats"] as const

export const isSwitch = (name: string): boolean => switches.some((one) => one === name)

const settingFlags = Object.fromEntries(
  settingNames
    .map((name): readonly [string, AnySetting] => [name, settings[name]])
    .filter(([name, setting]) => setting.secret !== true && !isSwitch(name))
    .map(([name, setting]) => [
      name,
      Flag.String(flagName(name, setting)).pipe(
        Flag.optional,
        Flag.withDescription(describe(setting))
      )
    ])
)

/** A switch, which needs no value: `everwrite start --form`. */
const switchFlag = (name: typeof switches[number]) =>
  Flag.Boolean(flagName(name, settings[name])).pipe(
    Flag.optional,
    Flag.withDescription(describe(settings[name]))
  )

/** What a command line says, as texts, by the names of the settings. */
export interface TypedSettings {
  readonly texts: Readonly<Record<string, string | undefined>>
  readonly config: Option.Option<string>
  readonly json: boolean
}

/** The configuration of the node; fails with all that is wrong in it. */
export const startConfiguration = Effect.fnUntraced(function*(
  { config, json, texts }: TypedSettings
) {
  const { configure } = yield* Effect.promise(() => import("../node/Configuration.ts"))
  return yield* configure({
    environment: process.env,
    path: yield* configPath(config),
    nothingToServe,
    resolve: (file) =>
      resolve([
        fromFlags(texts),
        fromObject(json ? { logFormat: "json" } : {}, "--json"),
        fromEnvironment(process.env),
        file
      ])
  })
})

const run = Effect.fnUntraced(function*(
  flags: { readonly [name: string]: Option.Option<string> },
  options: {
    readonly config: Option.Option<string>
    readonly form: Option.Option<boolean>
    readonly acceptLoss: Option.Option<boolean>
    readonly waitForNats: Option.Option<boolean>
    readonly json: boolean
  }
) {
  const [{ layerLogs }, { EverwriteNode }] = yield* Effect.promise(() =>
    Promise.all([import("../node/Logs.ts"), import("../node/Node.ts")])
  )
  const switched = switches.map((name) => [name, Option.map(options[name], String)] as const)
  const given = [...Object.entries(flags), ...switched]
    .map(([name, flag]) => [name, Option.getOrUndefined(flag)])
  const { config, settings: resolved } = yield* startConfiguration({
    texts: Object.fromEntries(given),
    config: options.config,
    json: options.json
  })
  const { buckets } = config ?? { buckets: [] }
  let isServing = false
  const serve = Effect.fnUntraced(function*(stopped: Effect.Effect<void>) {
    isServing = true
    const { address, ended, natsAddress } = yield* EverwriteNode
    yield* Effect.logInfo("ready").pipe(Effect.annotateLogs({
      node: resolved.node,
      nats: natsAddress,
      http: address ?? "off",
      dataDir: resolved.dataDir
    }))
    // Else Node keeps what it compiled when a process ends, which a killed one does not do.
    flushCompileCache()
    yield* Effect.raceFirst(stopped, ended)
    yield* Effect.logInfo("stopping")
  })
  // Listened for from the beginning: a start may take a while.
  const live = Effect.flatMap(
    stopSignal,
    (stopped) => {
      const stoppedAtStart = Effect.flatMap(stopped, () => isServing ? Effect.never : Effect.void)
      const serving = Effect.provide(serve(stopped), EverwriteNode.layerOf(resolved, buckets))
      return Effect.raceFirst(stoppedAtStart, serving)
    }
  )
  yield* warnOfVariables().pipe(
    Effect.andThen(Effect.scoped(live)),
    Effect.andThen(Effect.logInfo("stopped")),
    Effect.provide(layerLogs(resolved))
  )
})

export const start = Command.make(
  "start",
  {
    settings: settingFlags,
    config: configFlag,
    form: switchFlag("form"),
    acceptLoss: switchFlag("acceptLoss"),
    waitForNats: switchFlag("waitForNats"),
    json: jsonFlag
  },
  (flags) => run(flags.settings, flags).pipe(Effect.mapError((error) => fromError(error, flags)))
).pipe(
  Command.withDescription("Run one node of a cluster"),
  Command.annotate(Variables, secretVariables),
  Command.withExamples([
    {
      command: "everwrite start --config everwrite.config.ts",
      description: "one node that is a cluster of itself, with a nats-server on this machine"
    },
    {
      command: "everwrite start --node n1 --members n1,n2,n3 --nats nats://broker:4222",
      description: "with one EVERWRITE_CLUSTER_KEY on all three"
    }
  ])
)
