/**
 * Loads `everwrite.config.ts`: the buckets of a node, with their code, and any of its settings.
 *
 * TypeScript is read by Node itself, which strips types and refuses other TypeScript syntax (enums,
 * parameter properties). A `.json` file holds buckets as definitions without code.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { extname, join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { BucketDefinition } from "../../schemas/BucketDefinition.ts"
import * as Json from "../core/codec/Json.ts"
import { fingerprint } from "../core/model/BucketDefinition.ts"
import { isObject } from "../core/model/CanonicalJson.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import { settingNames, type SettingsInput } from "./Settings.ts"

/** A bucket that a node serves: declared with its code, or described without. */
export type ServedBucket = Any | typeof BucketDefinition.Encoded

export interface Config extends SettingsInput {
  readonly buckets?: ReadonlyArray<ServedBucket>
}

/** Gives the default export of a config file its type. */
export const defineConfig = (config: Config): Config => config

export interface LoadedConfig {
  readonly path: string
  readonly buckets: ReadonlyArray<Any | typeof BucketDefinition.Type>
  /** Not decoded yet: flags and variables come before them. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** A config file that cannot be used: its path, and the problem. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.path}: ${this.problem}`
  }
}

const names = ["ts", "js", "mjs", "json"].map((extension) => `everwrite.config.${extension}`)

/** The config file of a folder, where it has one. */
export const findConfig = (folder: string): string | undefined =>
  names.map((name) => join(folder, name)).find((path) => existsSync(path))

export const loadConfig = Effect.fnUntraced(function*(path: string) {
  const content = yield* Effect.tryPromise({
    try: () => contentOf(resolve(path)),
    catch: (error) => new InvalidConfig({ path, problem: firstLine(error) })
  })
  return yield* Effect.fromResult(Result.mapError(
    decode(content),
    (problem) => new InvalidConfig({ path, problem })
  )).pipe(Effect.map((decoded): LoadedConfig => ({ path, ...decoded })))
})

const contentOf = async (path: string): Promise<unknown> => {
  if (extname(path) === ".json") return Json.parse(readFileSync(path, "utf8"))
  const module: unknown = await import(pathToFileURL(path).href)
  return isObject(module) ? module["default"] : undefined
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!

/** Buckets and settings of a config file's content, or the problem. */
export const decode = (
  content: unknown
): Result.Result<Omit<LoadedConfig, "path">, string> => {
  if (!isObject(content)) return Result.fail("expected `export default defineConfig({ ... })`")
  const { buckets = [], ...settings } = content
  const known: ReadonlyArray<string> = settingNames
  const unknown = Object.keys(settings).filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    return Result.fail(`there is no setting ${unknown[0]}; there are ${known.join(", ")}`)
  }
  if (!Array.isArray(buckets)) return Result.fail("buckets: expected an array")
  return Result.map(decodeBuckets(buckets), (decoded) => ({ buckets: decoded, settings }))
}

const decodeBuckets = (
  buckets: ReadonlyArray<unknown>
): Result.Result<LoadedConfig["buckets"], string> => {
  const decoded = Result.all(
    buckets.map((bucket, index) =>
      Result.mapError(decodeBucket(bucket), (problem) => `buckets[${index}]: ${problem}`)
    )
  )
  return Result.flatMap(decoded, (all) => {
    const seen = all.map(({ name }) => name)
    const repeated = seen.find((name, index) => seen.indexOf(name) < index)
    return repeated === undefined
      ? Result.succeed(all)
      : Result.fail(`buckets: ${repeated} is declared twice`)
  })
}

const isDefinition = Schema.is(BucketDefinition)
const decodeDefinition = Schema.decodeUnknownResult(BucketDefinition)

const isDeclared = (bucket: unknown): bucket is Any =>
  isObject(bucket) && isObject(bucket["code"]) && isDefinition(bucket["definition"])

const decodeBucket = (
  bucket: unknown
): Result.Result<Any | typeof BucketDefinition.Type, string> => {
  if (!isDeclared(bucket)) {
    return Result.mapError(
      decodeDefinition(bucket),
      ({ message }) => message.replaceAll(/\s+/gu, " ")
    )
  }
  return fingerprint(bucket.definition) === bucket.fingerprint
    ? Result.succeed(bucket)
    : Result.fail(`${bucket.name} was declared with another version of everwrite`)
}
