/**
 * Runs one node of a cluster until it is told to stop: `everwrite start`. Every setting that is no
 * secret has its flag, made from the settings' own list.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LoadedConfig } from "../node/ConfigFile.ts"
import {
  type AnySetting,
  flagName,
  fromEnvironment,
  fromFlags,
  fromObject
} from "../node/Setting.ts"
import { settingNames, settings } from "../node/Settings.ts"
import { jsonFlag } from "./Connection.ts"
import { fromError, Misuse } from "./Failure.ts"
import { plain } from "./Output.ts"
import { stopSignal } from "./Running.ts"

export const configFlag = Flag.String("config").pipe(
  Flag.optional,
  Flag.withDescription("file with the buckets; else EVERWRITE_CONFIG, else everwrite.config.*")
)

/** The config file that is named, or the one in this folder, or none. */
export const configOf = Effect.fnUntraced(function*(named: Option.Option<string>) {
  const { findConfig, loadConfig } = yield* Effect.promise(() => import("../node/ConfigFile.ts"))
  const path = Option.getOrUndefined(named) ?? process.env["EVERWRITE_CONFIG"] ?? findConfig(".")
  const none: LoadedConfig | undefined = undefined
  return path === undefined ? none : yield* loadConfig(path)
})

const describe = ({ about, otherwise, variable }: AnySetting): string => {
  const usual = otherwise === undefined ? "" : `, else ${plain(otherwise)}`
  return `${about} (else ${variable}${usual})`
}

const settingFlags = Object.fromEntries(
  settingNames
    .map((name): readonly [string, AnySetting] => [name, settings[name]])
    .filter(([name, setting]) => setting.secret !== true && name !== "form")
    .map(([name, setting]) => [
      name,
      Flag.String(flagName(name, setting)).pipe(
        Flag.optional,
        Flag.withDescription(describe(setting))
      )
    ])
)

/** A switch, which needs no value: `everwrite start --form`. */
const formFlag = Flag.Boolean("form").pipe(
  Flag.optional,
  Flag.withDescription(describe(settings.form))
)

const run = Effect.fnUntraced(function*(
  flags: { readonly [name: string]: Option.Option<string> },
  options: {
    readonly config: Option.Option<string>
    readonly form: Option.Option<boolean>
    readonly json: boolean
  }
) {
  const [{ layerLogs }, { EverwriteNode }, { resolve }] = yield* Effect.promise(() =>
    Promise.all([
      import("../node/Logs.ts"),
      import("../node/Node.ts"),
      import("../node/Settings.ts")
    ])
  )
  const config = yield* configOf(options.config)
  const form = Option.map(options.form, String)
  const given = Object.entries({ ...flags, form })
    .map(([name, flag]) => [name, Option.getOrUndefined(flag)])
  const resolved = yield* resolve([
    fromFlags(Object.fromEntries(given)),
    fromObject(options.json ? { logFormat: "json" } : {}, "--json"),
    fromEnvironment(process.env),
    fromObject(config?.settings ?? {}, config?.path ?? "no file")
  ])
  const { buckets } = config ?? { buckets: [] }
  if (buckets.length === 0) {
    const problem = "there are no buckets to serve: give a file that has some with --config"
    return yield* new Misuse({ problem })
  }
  const serve = Effect.fnUntraced(function*(stopped: Effect.Effect<void>) {
    const { address, ended, natsAddress } = yield* EverwriteNode
    yield* Effect.logInfo("ready").pipe(Effect.annotateLogs({
      node: resolved.node,
      nats: natsAddress,
      http: address ?? "off",
      dataDir: resolved.dataDir
    }))
    yield* Effect.raceFirst(stopped, ended)
    yield* Effect.logInfo("stopping")
  })
  // Listened for from the beginning: a start may take a while.
  const live = Effect.flatMap(
    stopSignal,
    (stopped) => Effect.provide(serve(stopped), EverwriteNode.layerOf(resolved, buckets))
  )
  yield* Effect.scoped(live).pipe(
    Effect.andThen(Effect.logInfo("stopped")),
    Effect.provide(layerLogs(resolved))
  )
})

export const start = Command.make(
  "start",
  { settings: settingFlags, config: configFlag, form: formFlag, json: jsonFlag },
  (flags) => run(flags.settings, flags).pipe(Effect.mapError((error) => fromError(error, flags)))
).pipe(Command.withDescription("Run one node of a cluster"))
