/**
 * Reads all that a node is told: its config file, its flags and its environment. All faults in them
 * are told at once, and variables that nobody reads are told too, since a misspelt one would leave
 * a setting at its default.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { nearestName } from "../core/model/NearestName.ts"
import { visible } from "../core/model/VisibleText.ts"
import { type LoadedConfig, readConfig } from "./ConfigFile.ts"
import { fromObject, type InvalidSetting, type Source } from "./Setting.ts"
import { type Settings, settings } from "./Settings.ts"

/** Nothing is to be served, or several things are wrong: one line for each. */
export class InvalidConfiguration
  extends Schema.TaggedError<InvalidConfiguration>()("InvalidConfiguration", {
    problems: Schema.Array(Schema.String)
  })
{
  override get message(): string {
    return this.problems.join("\n")
  }
}

export interface Configuration {
  readonly settings: Settings
  /** Undefined where there is no file. */
  readonly config: LoadedConfig | undefined
}

export interface ConfigureOptions {
  /** The variables of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the config file; undefined where there is none. */
  readonly path: string | undefined
  /** Settings from the file and from all other sources. */
  readonly resolve: (
    file: Source,
    config: LoadedConfig | undefined
  ) => Effect.Effect<Settings, InvalidSetting>
  /** Why there is nothing to serve, where the file can be used; undefined where there is. */
  readonly nothingToServe: (config: LoadedConfig | undefined) => string | undefined
}

/** The configuration of a node; fails with all that is wrong in it. */
export const configure = Effect.fnUntraced(function*(
  { environment, nothingToServe, path, resolve }: ConfigureOptions
) {
  const read = path === undefined ? undefined : yield* readConfig(path)
  const config = read?.config
  const file = fromObject(config?.settings ?? {}, config?.path ?? "no file")
  const resolved = yield* Effect.result(resolve(file, config))
  const nothing = nothingToServe(config)
  const empty = nothing === undefined
    ? undefined
    : new InvalidConfiguration({ problems: [nothing] })
  const faults = [
    read?.fault ?? empty,
    Result.isFailure(resolved) ? resolved.failure : undefined
  ].filter((fault) => fault !== undefined)
  const [fault, another] = faults
  // One that nobody reads is no fault by itself, but the next that its user would stumble over.
  const unread = unknownVariables(environment)
  if (another !== undefined || (fault !== undefined && unread.length > 0)) {
    return yield* new InvalidConfiguration({
      problems: [...faults.flatMap(({ message }) => message.split("\n")), ...unread]
    })
  }
  if (Result.isSuccess(resolved) && fault === undefined) {
    const configuration: Configuration = { settings: resolved.success, config }
    return configuration
  }
  return yield* Effect.fail(fault!)
})

/** Variables that are no settings of a node; commands read the first two. */
const otherVariables = ["EVERWRITE_URL", "EVERWRITE_CONFIG"]

/** A warning for each variable that begins as ours do and that nobody reads. */
export const unknownVariables = (
  environment: Readonly<Record<string, string | undefined>>
): ReadonlyArray<string> => {
  const known = [...Object.values(settings).map(({ variable }) => variable), ...otherVariables]
  const ours = known.filter((name) => name.startsWith("EVERWRITE_"))
  return Object.keys(environment)
    .filter((name) => /^everwrite_/iu.test(name) && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, ours)
      const meant = nearest === undefined
        ? "`everwrite start --help` lists all"
        : `${nearest} is one`
      return `${visible(name)} is no variable of everwrite, and is ignored: ${meant}`
    })
}
