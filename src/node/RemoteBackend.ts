/**
 * Opens the way to a cluster that a URL names, for people at a command line. The modules of a way
 * are loaded only when it is used: the NATS client takes as long to load as a request.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Backend } from "../client/Backend.ts"
import { presets } from "../core/model/Limits.ts"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { trimmedSecret } from "../core/model/VisibleText.ts"
import type { TransportUnavailable } from "../transport/Transport.ts"
import { edgeSettings } from "./EdgeSettings.ts"
import { readPreset } from "./LimitSettings.ts"
import { liveRuntime } from "./LiveRuntime.ts"
import { fromEnvironment, fromFlags, type InvalidSetting, read } from "./Setting.ts"
import { readForCommand } from "./Settings.ts"

/** Where an address comes from, and its forms. */
export const addressAdvice =
  "--url (or EVERWRITE_URL), such as http://127.0.0.1:7420 of a node or nats://127.0.0.1:4222 of a "
  + "broker,"

/** A URL that leads to no cluster. */
export class UnknownScheme extends Schema.TaggedError<UnknownScheme>()("UnknownScheme", {
  url: Schema.String
}) {
  override get message(): string {
    return `${this.url} is no address of a cluster, with http://, https://, nats:// or tls://: `
      + `${addressAdvice} names one`
  }
}

/** HTTP asks for a token; a user in the address would be sent nowhere. */
export class UserInAddress extends Schema.TaggedError<UserInAddress>()("UserInAddress", {
  url: Schema.String
}) {
  override get message(): string {
    return `${this.url} is given with a user, which HTTP does not take: set EVERWRITE_HTTP_TOKEN`
  }
}

const hasUser = (url: string): boolean => {
  const { password, username } = new URL(url)
  return username !== "" || password !== ""
}

export interface RemoteOptions {
  readonly url: string
  /** For NATS; by default those of the environment. */
  readonly cluster: string | undefined
  /** For HTTP; by default that of the environment. */
  readonly token?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A backend that closes with the scope. Credentials of NATS are those of the environment. */
export const openBackend = (
  options: RemoteOptions
): Effect.Effect<
  Backend,
  UnknownScheme | UserInAddress | InvalidSetting | TransportUnavailable,
  Scope.Scope
> => {
  const { url } = options
  if (/^(?:nats|tls):\/\//u.test(url)) return openNats(options)
  if (/^https?:\/\//u.test(url) && URL.canParse(url)) {
    return hasUser(url)
      ? Effect.fail(new UserInAddress({ url: publicAddress(url) }))
      : openHttp(options)
  }
  return Effect.fail(new UnknownScheme({ url: publicAddress(url) }))
}

const openNats = Effect.fnUntraced(function*({ cluster, environment, url }: RemoteOptions) {
  const [{ NatsBackend }, { natsOptions }, { Transport }, { layerNats }, Context, Layer] =
    yield* Effect.promise(() =>
      Promise.all([
        import("../client/NatsBackend.ts"),
        import("./NatsSettings.ts"),
        import("../transport/Transport.ts"),
        import("../transport/NatsTransport.ts"),
        import("effect/Context"),
        import("effect/Layer")
      ])
    )
  const values = yield* readForCommand([fromFlags({ cluster }), fromEnvironment(environment)])
  const options = yield* natsOptions(values, { servers: url, name: "everwrite/cli" })
  // Standard output is for results alone, and the error of a command says why it failed.
  const built = Effect.provideService(
    Layer.build(layerNats(options)),
    References.MinimumLogLevel,
    "None"
  )
  const transport = Context.get(yield* built, Transport)
  const { client: limits } = presets[values.preset]
  return yield* Effect.acquireRelease(
    Effect.sync(() =>
      new NatsBackend({ runtime: liveRuntime, transport, cluster: values.cluster, limits })
    ),
    (backend) => Effect.sync(() => backend.close())
  )
})

/** The token that a flag, or else the environment, gives; the first where there are several. */
const tokenOf = Effect.fnUntraced(function*({ environment, token }: RemoteOptions) {
  const { firstToken } = yield* Effect.promise(() => import("../http/AccessTokens.ts"))
  const { httpToken } = edgeSettings
  const sources = [
    token === undefined ? () => undefined : () => ({ value: token, origin: "from --token" }),
    fromEnvironment(environment)
  ]
  yield* read("httpToken", httpToken, sources)
  const text = trimmedSecret(token ?? environment[httpToken.variable] ?? "")
  return text === "" ? undefined : firstToken(text)
})

const openHttp = Effect.fnUntraced(function*(options: RemoteOptions) {
  const { environment, url } = options
  const { HttpBackend } = yield* Effect.promise(() => import("../client/HttpBackend.ts"))
  const preset = yield* readPreset([fromEnvironment(environment)])
  const token = yield* tokenOf(options)
  return new HttpBackend({ runtime: liveRuntime, url, token, limits: presets[preset].client })
})
