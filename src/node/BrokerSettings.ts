/**
 * Lists the settings of a node's connection to its brokers, and finds faults of them together with
 * the files that they name, which would else be told only when all others were mended.
 */
import * as Redacted from "effect/Redacted"
import { accessSync, constants, readFileSync, statSync } from "node:fs"
import * as Schema from "effect/Schema"
import { visible } from "../core/model/VisibleText.ts"
import { natsServers, natsServersExpected } from "../core/model/NatsServers.ts"
import { InvalidSetting, type JointFault, path, secret, setting, Switch } from "./Setting.ts"

export const brokerSettings = {
  nats: setting({
    variable: "NATS_URL",
    schema: Schema.String.check(
      Schema.makeFilter((text) => text === "embedded" || natsServers(text) !== undefined)
    ),
    expected: `embedded, or ${natsServersExpected}`,
    otherwise: "nats://127.0.0.1:4222",
    about: "Where the brokers are; \"embedded\" starts one in this process, on loopback."
  }),
  waitForNats: setting({
    variable: "EVERWRITE_WAIT_FOR_NATS",
    schema: Switch,
    expected: "true, on, false or off",
    otherwise: false,
    about: "Whether a node that finds no broker at its start waits for one. Meanwhile it is not "
      + "ready, and HTTP answers /livez and /readyz. Else the start fails, so that a supervisor "
      + "shows it."
  }),
  natsCreds: path("NATS_CREDS", "A .creds file with the JWT and seed of this node's NATS user."),
  natsUser: setting({
    variable: "NATS_USER",
    schema: Schema.NonEmptyString,
    expected: "a user's name",
    otherwise: undefined,
    about: "This node's NATS user."
  }),
  natsPassword: secret("NATS_PASSWORD", "The password of NATS_USER."),
  natsInboxPrefix: setting({
    variable: "NATS_INBOX_PREFIX",
    schema: Schema.String.check(
      Schema.isPattern(/^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,7}$/u)
    ),
    expected: "tokens of A-Z, a-z, 0-9, _ and -, joined by dots",
    otherwise: undefined,
    about: "Begins the reply subjects of this NATS user, where its permissions ask for its own."
  }),
  natsToken: secret("NATS_TOKEN", "A NATS token, instead of a user."),
  natsNkey: secret("NATS_NKEY", "An nkey seed, or the path of a file with one."),
  natsCert: path("NATS_CERT", "PEM file with the client's TLS certificate."),
  natsKey: path("NATS_KEY", "PEM file with the key of NATS_CERT."),
  natsCa: path("NATS_CA", "PEM file with the authority that signed the brokers' certificates.")
}

export interface NatsValues {
  readonly natsCreds: string | undefined
  readonly natsUser: string | undefined
  readonly natsPassword: Redacted.Redacted | undefined
  readonly natsNkey: Redacted.Redacted | undefined
  readonly natsCert: string | undefined
  readonly natsKey: string | undefined
  readonly natsCa: string | undefined
}

const files = ["natsCreds", "natsCert", "natsKey", "natsCa"] as const

/** Why a file cannot be read; undefined where it can. */
const unreadable = (path: string): string | undefined => {
  try {
    accessSync(path, constants.R_OK)
    return statSync(path).isFile() ? undefined : "it is no file"
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined
    return code === "ENOENT" ? "there is none" : `it cannot be opened (${String(code)})`
  }
}

/** Of files that the settings name. */
const fileFaults = (
  values: NatsValues,
  origins: Readonly<Record<string, string>>
): ReadonlyArray<JointFault> =>
  files.flatMap((setting) => {
    const file = values[setting]
    const reason = file === undefined ? undefined : unreadable(file)
    if (file === undefined || reason === undefined) return []
    const expected = `the path of a file that this user can read: ${reason}`
    const fault = { setting, value: visible(file), origin: origins[setting]!, expected }
    return [{ causes: [setting], fault: new InvalidSetting(fault) }]
  })

const seedPattern = /SU[A-Z2-7]{56}/u

/** The seed itself, or the one in the file of that name; `nsc` writes files with comments. */
export const readSeed = (given: string): string | undefined => {
  const [own] = seedPattern.exec(given) ?? []
  if (own !== undefined) return own
  try {
    return seedPattern.exec(readFileSync(given, "utf8"))?.[0]
  } catch {
    return undefined
  }
}

/** The fault of a seed that is none. */
export const noSeed = (origin: string): InvalidSetting =>
  new InvalidSetting({
    setting: "natsNkey",
    value: "a secret that does not fit",
    origin,
    expected: "a user's seed (SU...), or the path of a file that holds one"
  })

/** Two settings of which one alone means nothing. */
const pairs = [
  { setting: "natsUser", given: "natsPassword", expected: "the user of natsPassword (NATS_USER)" },
  {
    setting: "natsKey",
    given: "natsCert",
    expected: "the file with the key of natsCert (NATS_KEY)"
  },
  {
    setting: "natsCert",
    given: "natsKey",
    expected: "the file with the certificate of natsKey (NATS_CERT)"
  }
] as const

const pairFaults = (values: NatsValues): ReadonlyArray<JointFault> =>
  pairs
    .filter(({ given, setting }) => values[given] !== undefined && values[setting] === undefined)
    .map(({ expected, given, setting }) => ({
      causes: [setting, given],
      fault: new InvalidSetting({ setting, origin: "by default", expected })
    }))

export const natsFaults = (
  values: NatsValues,
  origins: Readonly<Record<string, string>>
): ReadonlyArray<JointFault> => {
  const { natsNkey: nkey } = values
  const hasSeed = nkey === undefined || readSeed(Redacted.value(nkey)) !== undefined
  const seed = hasSeed
    ? []
    : [{ causes: ["natsNkey"], fault: noSeed(origins["natsNkey"]!) }]
  return [...fileFaults(values, origins), ...seed, ...pairFaults(values)]
}
