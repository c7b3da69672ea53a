/**
 * Turns the settings whose names begin with `nats` into options of a connection.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { presets } from "../core/model/Limits.ts"
import type { NatsOptions } from "../transport/NatsOptions.ts"
import { noSeed, readSeed } from "./BrokerSettings.ts"
import type { InvalidSetting } from "./Setting.ts"
import type { Settings } from "./Settings.ts"

export type NatsSettings = Pick<Settings, Extract<keyof Settings, `nats${string}`> | "preset">

const reveal = (secret: Redacted.Redacted | undefined): string | undefined =>
  secret === undefined ? undefined : Redacted.value(secret)

const seedOf = (given: string): Effect.Effect<string, InvalidSetting> => {
  const seed = readSeed(given)
  return seed === undefined
    ? Effect.fail(noSeed("from NATS_NKEY, or natsNkey"))
    : Effect.succeed(seed)
}

/** Options of a connection to `servers`, which the broker's monitoring shows as `name`. */
export const natsOptions = Effect.fnUntraced(function*(
  settings: NatsSettings,
  connection: { readonly servers: string; readonly name: string }
) {
  const {
    natsCa,
    natsCert,
    natsCreds,
    natsInboxPrefix,
    natsKey,
    natsPassword,
    natsToken,
    natsUser
  } = settings
  const nkey = reveal(settings.natsNkey)
  const secured = natsCa !== undefined || natsCert !== undefined || natsKey !== undefined
  const options: NatsOptions = {
    ...presets[settings.preset].nats,
    ...connection,
    credsFile: natsCreds,
    user: natsUser,
    inboxPrefix: natsInboxPrefix,
    password: reveal(natsPassword),
    token: reveal(natsToken),
    nkeySeed: nkey === undefined ? undefined : yield* seedOf(nkey),
    tls: secured ? { ca: natsCa, cert: natsCert, key: natsKey } : undefined
  }
  return options
})
