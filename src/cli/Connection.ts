/**
 * Reaches the cluster that a command is about, by HTTP or NATS as its URL says, and names the
 * flags by which every such command is steered.
 */
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { BucketBody, ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { Backend } from "../client/Backend.ts"
import { commandLine } from "../core/model/EdgeLimits.ts"
import { BucketName } from "../core/model/Names.ts"
import { Consistency, Replicas } from "../core/model/Settings.ts"
import { trimmed } from "../core/model/VisibleText.ts"
import { StoreError, UnknownBucket } from "../core/model/StoreError.ts"
import { addressAdvice, openBackend } from "../node/RemoteBackend.ts"
import { type Failure, fromError, Misuse, type TypedError } from "./Failure.ts"

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDefault(false),
  Flag.withDescription("JSON for programs, also of errors")
)

/** The milliseconds of `5s`, `500ms`, `1m` or a bare number of them. */
const millisOf = (text: string): Option.Option<number> => {
  const [, count, unit] = /^(\d{1,8}(?:\.\d{1,3})?)(|ms|s|m)$/u.exec(text.trim()) ?? []
  if (count === undefined) return Option.none()
  const factor = unit === "m" ? 60_000 : unit === "s" ? 1_000 : 1
  const millis = Math.round(Number(count) * factor)
  return millis >= 1 && millis <= commandLine.timeoutMaxMillis ? Option.some(millis) : Option.none()
}

export const connectionFlags = {
  url: Flag.String("url").pipe(
    Flag.withFallbackConfig(Config.NonEmptyString("EVERWRITE_URL")),
    Flag.withDefault("http://127.0.0.1:7420"),
    Flag.withDescription(
      "http:// of a node, or nats:// of its brokers; else EVERWRITE_URL, else"
        + " http://127.0.0.1:7420"
    )
  ),
  cluster: Flag.String("cluster").pipe(
    Flag.optional,
    Flag.withDescription("cluster on those brokers; else EVERWRITE_CLUSTER, else dev")
  ),
  token: Flag.String("token").pipe(
    Flag.optional,
    Flag.withDescription(
      "token that a node asks for over HTTP; better EVERWRITE_HTTP_TOKEN, which no list of "
        + "processes shows"
    )
  ),
  timeout: Flag.String("timeout").pipe(
    Flag.filterMap(millisOf, () => "1ms to 60s, such as 500ms or 5s (5 alone is 5 ms)"),
    Flag.optional,
    Flag.withMetavar("DURATION"),
    Flag.withDescription("how long the nodes may take, such as 500ms or 5s; else their own limits")
  ),
  json: jsonFlag
}

const ReplicasText = Schema.Union([
  Schema.Literals(["one", "quorum", "all"]),
  Schema.String.check(Schema.isPattern(/^\d{1,2}$/u)).pipe(
    Schema.decodeTo(Schema.Int, {
      decode: SchemaGetter.transform(Number),
      encode: SchemaGetter.transform(String)
    })
  )
])

const replicas = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(ReplicasText),
    Flag.optional,
    Flag.withDescription(`${description}: one, quorum, all, or a count`)
  )

export const requestFlags = {
  ...connectionFlags,
  consistency: Flag.Literals("consistency", Consistency.literals).pipe(
    Flag.optional,
    Flag.withDescription("how much must agree; the bucket's own unless given")
  ),
  r: replicas("r", "replicas that must answer a read"),
  pr: replicas("pr", "how many of them must be owners"),
  w: replicas("w", "replicas that must acknowledge a write"),
  pw: replicas("pw", "how many of them must be owners"),
  sloppy: Flag.Boolean("sloppy").pipe(
    Flag.optional,
    Flag.withDescription(
      "whether other nodes may stand in for owners that cannot be reached; --no-sloppy: none may"
    )
  )
}

export interface ConnectionFlags {
  readonly url: string
  readonly cluster: Option.Option<string>
  readonly token: Option.Option<string>
  readonly timeout: Option.Option<number>
  readonly json: boolean
}

export interface RequestFlags extends ConnectionFlags {
  readonly consistency: Option.Option<Consistency>
  readonly r: Option.Option<Replicas>
  readonly pr: Option.Option<Replicas>
  readonly w: Option.Option<Replicas>
  readonly pw: Option.Option<Replicas>
  readonly sloppy: Option.Option<boolean>
}

/** The fields of a request that its flags set. */
export const requestFields = (flags: RequestFlags): Partial<RequestBody> => {
  const { consistency, pr, pw, r, sloppy, w } = flags
  return {
    ...Option.isSome(consistency) ? { consistency: consistency.value } : {},
    ...Option.isSome(r) ? { r: r.value } : {},
    ...Option.isSome(pr) ? { pr: pr.value } : {},
    ...Option.isSome(w) ? { w: w.value } : {},
    ...Option.isSome(pw) ? { pw: pw.value } : {},
    ...Option.isSome(sloppy) ? { sloppy: sloppy.value } : {},
    ...timeoutField(flags)
  }
}

export const timeoutField = ({ timeout }: ConnectionFlags): { readonly timeoutMillis?: number } =>
  Option.isSome(timeout) ? { timeoutMillis: timeout.value } : {}

const isStoreError = Schema.is(StoreError)

/** Asks a backend once. */
export const ask = <A>(
  question: (respond: (outcome: A | StoreError) => void) => void
): Effect.Effect<A, StoreError> =>
  Effect.callback((resume) =>
    question((outcome) =>
      resume(isStoreError(outcome) ? Effect.fail(outcome) : Effect.succeed(outcome))
    )
  )

const isBucketName = Schema.is(BucketName)

export const bucketName = (text: string): Effect.Effect<BucketName, Misuse> =>
  isBucketName(text)
    ? Effect.succeed(text)
    : Effect.fail(new Misuse({ problem: `${text} is no name of a bucket` }))

/** The bucket of this name, as a node describes it: so a command knows the form of its keys. */
export const describedBucket = Effect.fnUntraced(function*(
  backend: Backend,
  text: string
): Effect.fn.Return<BucketBody, StoreError | Misuse> {
  const name = yield* bucketName(text)
  const { buckets } = yield* ask<ClusterDescription>((respond) => backend.describe(respond))
  const bucket = buckets.find(({ definition }) => definition.name === name)
  return bucket ?? (yield* new UnknownBucket({ bucket: name }))
})

/** Runs a command on the cluster that its flags name, and puts errors in the form they ask for. */
export const connected = <E extends TypedError>(
  flags: ConnectionFlags,
  run: (backend: Backend) => Effect.Effect<void, E>
): Effect.Effect<void, Failure> => {
  const { json } = flags
  const url = trimmed(flags.url)
  const cluster = Option.getOrUndefined(flags.cluster)
  const token = Option.getOrUndefined(Option.map(flags.token, trimmed))
  return openBackend({ url, cluster, token, environment: process.env }).pipe(
    Effect.flatMap(run),
    Effect.scoped,
    Effect.mapError((error) => fromError(error, { json, advice: adviceOf(error, url) }))
  )
}

/** How to name another address, where nothing can be reached under this one. */
const adviceOf = (error: TypedError, url: string): string | undefined => {
  const isOut = error._tag === "TransportUnavailable"
    || (error._tag === "NoAnswer" && /^https?:/u.test(url))
  return isOut ? `${addressAdvice} names another address` : undefined
}
