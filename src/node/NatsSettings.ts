/**
 * Turns the settings whose names begin with `nats` into options of a connection.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { readFileSync } from "node:fs"
import { presets } from "../core/model/Limits.ts"
import type { NatsOptions } from "../transport/NatsOptions.ts"
import { InvalidSetting } from "./Setting.ts"
import type { Settings } from "./Settings.ts"

export type NatsSettings = Pick<Settings, Extract<keyof Settings, `nats${string}`> | "preset">

const seedPattern = /SU[A-Z2-7]{56}/u

const reveal = (secret: Redacted.Redacted | undefined): string | undefined =>
  secret === undefined ? undefined : Redacted.value(secret)

/** The seed itself, or the one in the file of that name; `nsc` writes files with comments. */
const seedOf = (given: string): Effect.Effect<string, InvalidSetting> =>
  Effect.try({
    try: () => {
      const text = seedPattern.test(given) ? given : readFileSync(given, "utf8")
      const [seed] = seedPattern.exec(text) ?? []
      if (seed === undefined) throw new Error("no seed in it")
      return seed
    },
    catch: () =>
      new InvalidSetting({
        setting: "natsNkey",
        value: "a secret that does not fit",
        origin: "from NATS_NKEY, or natsNkey",
        expected: "a user's seed (SU...), or the path of a file that holds one"
      })
  })

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
