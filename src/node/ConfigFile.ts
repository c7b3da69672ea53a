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
import { nearestName } from "../core/model/NearestName.ts"
import { schemaFault, stepsText } from "../core/model/SchemaFault.ts"
import { trimmed, visible } from "../core/model/VisibleText.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import { placeOf } from "./FaultPlace.ts"
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

/** A config file that cannot be used: its path, and the problems, one a line. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem.split("\n").map((problem) => `${this.path}: ${problem}`).join("\n")
  }
}

const names = ["ts", "js", "mjs", "json"].map((extension) => `everwrite.config.${extension}`)

/** The config file of a folder, where it has one. */
export const findConfig = (folder: string): string | undefined =>
  names.map((name) => join(folder, name)).find((path) => existsSync(path))

/** As far as a file can be used, and its problems. */
export interface ReadConfig {
  readonly config: LoadedConfig
  readonly fault: InvalidConfig | undefined
}

/** Reads a file to its end whatever is wrong in it, so that all of it can be told at once. */
export const readConfig = Effect.fnUntraced(function*(
  path: string
): Effect.fn.Return<ReadConfig> {
  const read = yield* Effect.result(Effect.tryPromise({
    try: () => contentOf(resolve(path)),
    catch: (error) => problemOf(error, path)
  }))
  const { problems, ...decoded } = Result.isSuccess(read)
    ? decodeAll(read.success)
    : { buckets: [], settings: {}, problems: [read.failure] }
  const fault = problems.length === 0
    ? undefined
    : new InvalidConfig({ path, problem: problems.join("\n") })
  return { config: { path, ...decoded }, fault }
})

export const loadConfig = Effect.fnUntraced(function*(path: string) {
  const { config, fault } = yield* readConfig(path)
  return fault === undefined ? config : yield* fault
})

const contentOf = async (path: string): Promise<unknown> => {
  if (extname(path) === ".json") return parseJson(trimmed(readFileSync(path, "utf8")))
  const module: unknown = await import(pathToFileURL(path).href)
  return isObject(module) ? module["default"] : undefined
}

/** The parser quotes the text around a fault, which may be a secret. */
const parseJson = (text: string): unknown => {
  try {
    return Json.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new SyntaxError(`no JSON: ${error.message.replace(/, (?:\.{3})?".*$/su, "")}`)
  }
}

const problemOf = (error: unknown, path: string): string => {
  const text = (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!
  // No file is run for JSON: a line would be one of this program.
  const place = extname(path) === ".json" ? undefined : placeOf(error)
  return place === undefined ? text : `${text} (at ${place})`
}

type Decoded = Omit<LoadedConfig, "path">

/** Buckets and settings of a config file's content, or the problems, one a line. */
export const decode = (content: unknown): Result.Result<Decoded, string> => {
  const { problems, ...decoded } = decodeAll(content)
  return problems.length === 0 ? Result.succeed(decoded) : Result.fail(problems.join("\n"))
}

const decodeAll = (
  content: unknown
): Decoded & { readonly problems: ReadonlyArray<string> } => {
  if (!isObject(content)) {
    const problems = ["expected `export default defineConfig({ ... })`"]
    return { buckets: [], settings: {}, problems }
  }
  const { buckets: given = [], ...settings } = content
  const { buckets, problems } = decodeBuckets(given)
  return { buckets, settings, problems: [...unknownSettings(settings), ...problems] }
}

const unknownSettings = (settings: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const known: ReadonlyArray<string> = [...settingNames, "buckets"]
  return Object.keys(settings).filter((name) => !known.includes(name)).map((name) => {
    const nearest = nearestName(name, known)
    const expected = nearest === undefined
      ? `there are ${known.join(", ")}`
      : `expected ${nearest}`
    return `there is no setting ${visible(name)}; ${expected}`
  })
}

const decodeBuckets = (
  given: unknown
): Pick<Decoded, "buckets"> & { readonly problems: ReadonlyArray<string> } => {
  if (!Array.isArray(given)) return { buckets: [], problems: ["buckets: expected an array"] }
  const buckets: Array<LoadedConfig["buckets"][number]> = []
  const problems: Array<string> = []
  for (const [index, each] of given.entries()) {
    const decoded = decodeBucket(each)
    if (Result.isSuccess(decoded)) buckets.push(decoded.success)
    else problems.push(`buckets[${index}]: ${decoded.failure}`)
  }
  const names = buckets.map(({ name }) => name)
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) < index))
  for (const name of repeated) problems.push(`buckets: ${name} is declared twice`)
  return { buckets, problems }
}

const isDefinition = Schema.is(BucketDefinition)
const decodeDefinition = Schema.decodeUnknownResult(BucketDefinition)

const isDeclared = (bucket: unknown): bucket is Any =>
  isObject(bucket) && isObject(bucket["code"]) && isDefinition(bucket["definition"])

const decodeBucket = (
  bucket: unknown
): Result.Result<Any | typeof BucketDefinition.Type, string> => {
  if (!isDeclared(bucket)) {
    return Result.mapError(decodeDefinition(bucket), (error) => {
      const { expected, path } = schemaFault(error)
      const where = path.length === 0 ? "" : `${stepsText(path)}: `
      return `${where}expected ${expected}`
    })
  }
  return fingerprint(bucket.definition) === bucket.fingerprint
    ? Result.succeed(bucket)
    : Result.fail(`${bucket.name} was declared with another version of everwrite`)
}
