/** Settings: which source wins, how a wrong value is named, and how defaults follow from others. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { natsOptions } from "../../src/node/NatsSettings.ts"
import {
  type AnySetting,
  flagName,
  fromEnvironment,
  fromFlags,
  fromObject,
  InvalidSetting,
  type Source
} from "../../src/node/Setting.ts"
import {
  readAll,
  resolve,
  type SettingName,
  settingNames,
  settings
} from "../../src/node/Settings.ts"

const resolved = (...sources: ReadonlyArray<Source>) => Effect.runSync(resolve(sources))

const refusal = (...sources: ReadonlyArray<Source>) => Effect.runSync(Effect.flip(resolve(sources)))

const shared = { partitionCount: ["1", "64", "1024"], http: ["0", "80", "off"] } as const
const millis = ["1", "250", "600000"] as const
const texts = ["a", "b/c", "d e"] as const
const bytes = ["1048576", "4194304", "9007199254740991"] as const

/** Three texts that fit each setting, and one that does not where there is such a text. */
const samples: Readonly<
  Record<SettingName, readonly [fits: readonly [string, string, string], wrong?: string]>
> = {
  cluster: [["c1", "c2", "c3"], "C1"],
  node: [["n1", "n2", "n3"], "n 1"],
  members: [["n1", "n1,n2", "n1, n2,n3"], "n1,,n2"],
  form: [["true", "off", "on"], "yes"],
  acceptLoss: [["true", "off", "on"], "yes"],
  partitionCount: [shared.partitionCount, "100"],
  dataDir: [texts],
  httpToken: [
    ["0123456789abcdef", "a-token-of-letters,another-token-000", "ABCDEFGHIJKLMNOP=="],
    "sh rt"
  ],
  httpAuth: [["token", "proxy", "token"], "none"],
  httpHosts: [["a", "a,b.example", "c.example"], "a:1"],
  clusterKeyPrevious: [["0123456789abcdef", "sixteen letters.", "the former secret"], "short"],
  clusterKey: [["sixteen letters.", "0123456789abcdef", "more than sixteen letters"], "too short"],
  nats: [["nats://a:1", "embedded", "tls://b:2,tls://c:3"]],
  waitForNats: [["true", "off", "on"], "yes"],
  natsCreds: [texts],
  natsUser: [texts],
  natsPassword: [texts],
  natsInboxPrefix: [["_INBOX.n1", "a", "b-c.D_4"], "_INBOX.>"],
  natsToken: [texts],
  natsNkey: [texts],
  natsCert: [texts],
  natsKey: [texts],
  natsCa: [texts],
  httpHost: [texts],
  http: [shared.http, "65536"],
  otlpUrl: [["http://127.0.0.1:4318", "https://c.example", "http://c:1/x"], "127.0.0.1:4318"],
  traceShare: [["0", "0.25", "1"], "1.5"],
  logLevel: [["debug", "info", "none"], "loud"],
  logFormat: [["pretty", "json", "logfmt"], "xml"],
  preset: [["development", "lan", "wan"], "moon"],
  skewMillis: [millis, "0"],
  readTimeoutMillis: [millis, "1s"],
  writeTimeoutMillis: [millis, "-1"],
  requestsMax: [["1", "7", "1000000"], "1e3"],
  cacheBytesMax: [bytes, "1000"],
  lastIssuedDotsMax: [["0", "7", "100000000"], "-1"],
  drainTimeoutMillis: [millis, "600001"],
  storageBytesMax: [bytes, "1000"],
  logBytesMax: [bytes, "1000"],
  waitingBytesMax: [bytes, "9007199254740993"],
  exchangeMillis: [["0", "777", "3600000"], "-1"],
  backgroundTargetMillis: [millis, "0"],
  repairBytesPerSecond: [["1", "777", "8388608"], "0"]
}

const given = (values: object) => fromObject({ ...values }, "the test")

const setting = (name: SettingName): AnySetting => settings[name]

const shown = (value: unknown): unknown =>
  Redacted.isRedacted(value) ? Redacted.value(value) : value

const valueOf = (name: SettingName, sources: ReadonlyArray<Source>): unknown =>
  shown(Effect.runSync(readAll(sources)).values[name])

/** The three sources, each with a value for one setting or with none. */
const sourcesOf = (
  name: SettingName,
  given: readonly [string | undefined, string | undefined, string | undefined]
): ReadonlyArray<Source> => [
  fromFlags({ [name]: given[0] }),
  fromEnvironment({ [setting(name).variable]: given[1] }),
  fromObject({ [name]: given[2] }, "everwrite.config.ts")
]

describe("of several sources", () => {
  it("a flag comes before a variable, that before the file, the file before the default", () => {
    const chosen = fc.tuple(
      fc.constantFrom(...settingNames),
      fc.tuple(fc.boolean(), fc.boolean(), fc.boolean())
    )
    fc.assert(fc.property(chosen, ([name, [inFlag, inVariable, inFile]]) => {
      const [flag, variable, file] = samples[name][0]
      const sources = sourcesOf(name, [
        inFlag ? flag : undefined,
        inVariable ? variable : undefined,
        inFile ? file : undefined
      ])
      const first = inFlag ? flag : inVariable ? variable : inFile ? file : undefined
      const expected = first === undefined
        ? setting(name).otherwise
        : valueOf(name, [fromFlags({ [name]: first })])
      expect(valueOf(name, sources)).toEqual(expected)
    }))
  })

  it("a variable that is set to nothing counts as none", () => {
    expect(valueOf("http", sourcesOf("http", [undefined, "", "81"]))).toBe(81)
  })
})

const wrongs = settingNames.flatMap((name) => {
  const wrong = samples[name][1]
  return wrong === undefined ? [] : [[name, wrong] as const]
})

describe.each(wrongs)("a wrong %s", (name, wrong) => {
  it.each([
    ["flag", `--${flagName(name, setting(name))}`, 0],
    ["variable", setting(name).variable, 1],
    ["file", "everwrite.config.ts", 2]
  ])("from a %s is refused with its name, its source, its value and what fits", (_, origin, at) => {
    const given = [0, 1, 2].map((index) => index === at ? wrong : undefined)
    const error = refusal(...sourcesOf(name, [given[0], given[1], given[2]]))
    expect(error).toBeInstanceOf(InvalidSetting)
    expect(error.setting).toBe(name)
    expect(error.message).toContain(origin)
    expect(error.message).toContain(setting(name).expected)
    expect(error.message.includes(wrong)).toBe(setting(name).secret !== true)
  })
})

it.each(settingNames)("%s in a file may not be an object of something else", (name) => {
  const error = refusal(fromObject({ [name]: { surprise: true } }, "everwrite.config.ts"))
  expect(error).toMatchObject({ setting: name })
})

it("a secret is not shown by any way to print it", () => {
  const secrets = fromEnvironment({
    EVERWRITE_CLUSTER_KEY: "hidden-hidden-hidden",
    EVERWRITE_CLUSTER_KEY_PREVIOUS: "hidden-hidden-hidden",
    EVERWRITE_HTTP_TOKEN: "hidden-hidden-hidden",
    NATS_USER: "u",
    NATS_PASSWORD: "hidden",
    NATS_TOKEN: "hidden",
    NATS_NKEY: `hidden SU${"A2".repeat(28)}`
  })
  const all = resolved(secrets)
  expect(Redacted.isRedacted(all.clusterKey)).toBe(true)
  expect(JSON.stringify(all)).not.toContain("hidden")
})

describe("beyond loopback", () => {
  const key = { clusterKey: "a key for the tests" }
  const token = { httpToken: "a-token-for-the-tests" }
  const open = { httpHost: "0.0.0.0" }

  it.each(["0.0.0.0", "::", "10.0.0.7", "node.example", "localhost.example", "128.0.0.1"])(
    "a node on %s wants a token or the word that a proxy asks for one",
    (httpHost) => {
      const error = refusal(given({ ...key, httpHost }))
      expect(error.setting).toBe("httpToken")
      expect(error.message).toMatch(/EVERWRITE_HTTP_TOKEN.*EVERWRITE_HTTP_AUTH=proxy/u)
      expect(resolved(given({ ...key, ...token, httpHost })).httpHost).toBe(httpHost)
      expect(resolved(given({ ...key, httpAuth: "proxy", httpHost })).httpHost).toBe(httpHost)
    }
  )

  it.each(["127.0.0.1", "127.1.2.3", "localhost", "::1"])("%s is not", (httpHost) => {
    expect(resolved(given({ httpHost })).httpHost).toBe(httpHost)
  })

  it("HTTP that is off is open to nobody", () => {
    expect(resolved(given({ ...open, http: false })).http).toBe(false)
  })

  it.each([
    "nats://broker:4222",
    "broker:4222",
    "nats://127.0.0.1:4222,nats://10.0.0.1:4222",
    "tls://127.0.0.1@broker.example",
    "nats://localhost.example:4222"
  ])("brokers at %s want a cluster key", (nats) => {
    const error = refusal(given({ nats }))
    expect(error.setting).toBe("clusterKey")
    expect(error.message).toContain("EVERWRITE_CLUSTER_KEY")
    expect(resolved(given({ ...key, nats })).nats).toBe(nats)
  })

  it.each(["embedded", "nats://127.0.0.1:4222", "nats://u:p@localhost:1,127.0.0.1", "[::1]:4222"])(
    "brokers at %s want none",
    (nats) => {
      expect(resolved(given({ nats })).nats).toBe(nats)
    }
  )

  it("HTTP wants a cluster key too, since contexts come by it", () => {
    expect(refusal(given({ ...open, ...token })).setting).toBe("clusterKey")
  })
})

it("tokens are kept as hashes only", () => {
  const all = resolved(given({ httpToken: "a-token-for-the-tests,another-for-the-tests" }))
  const { httpToken } = all
  expect(httpToken === undefined ? [] : Redacted.value(httpToken))
    .toEqual([expect.stringMatching(/^[\da-f]{64}$/u), expect.stringMatching(/^[\da-f]{64}$/u)])
})

it("secrets have no flag of their own to be seen in a list of processes", () => {
  const hidden = settingNames.filter((name) => setting(name).secret === true)
  expect(hidden.toSorted()).toEqual([
    "clusterKey",
    "clusterKeyPrevious",
    "httpToken",
    "natsNkey",
    "natsPassword",
    "natsToken"
  ])
})

describe("a setting that follows from others", () => {
  it("a node that is told nothing is n1, a cluster of itself", () => {
    const { cluster, dataDir, members, node } = resolved()
    expect({ cluster, dataDir, members, node }).toEqual({
      cluster: "dev",
      dataDir: join(".everwrite", "dev", "n1"),
      members: [{ id: "n1", weight: 1 }],
      node: "n1"
    })
  })

  it("a node with a name alone is a cluster of itself", () => {
    expect(resolved(given({ node: "solo" })).members).toEqual([{ id: "solo", weight: 1 }])
  })

  it("members are ids with commas between them, or objects with weight and zone", () => {
    expect(resolved(given({ node: "n2", members: "n1, n2" })).members)
      .toEqual([{ id: "n1", weight: 1 }, { id: "n2", weight: 1 }])
    const members = ["n1", { id: "n2", weight: 2, zone: "hall-2" }]
    expect(resolved(given({ node: "n2", members })).members)
      .toEqual([{ id: "n1", weight: 1 }, { id: "n2", weight: 2, zone: "hall-2" }])
  })

  it("one of several members must be named", () => {
    const { message } = refusal(given({ members: "n1,n2,n3" }))
    expect(message).toBe("node is not set (by default); expected one of the members n1, n2, n3")
  })

  it("a node must be a member", () => {
    const error = refusal(given({ members: "n1,n2" }), fromFlags({ node: "n9" }))
    expect(error.message).toBe("node is n9 (from --node); expected one of the members n1, n2")
  })

  it("no member is listed twice", () => {
    expect(refusal(given({ node: "n1", members: "n1,n2,n1" })))
      .toMatchObject({ setting: "members", value: "n1,n2,n1" })
  })
})

const optionsWith = (NATS_NKEY: string) => {
  const { values } = Effect.runSync(readAll([fromEnvironment({ NATS_NKEY })]))
  return natsOptions(values, { servers: "nats://a", name: "everwrite/n1" })
}

describe("an nkey", () => {
  const seed = `SU${"A2".repeat(28)}`

  it("is the seed itself, or in a file as nsc writes it", () => {
    const folder = mkdtempSync(join(tmpdir(), "everwrite-nkey-"))
    const path = join(folder, "user.nk")
    writeFileSync(path, `# a seed\n${seed}\n`)
    expect(Effect.runSync(optionsWith(seed)).nkeySeed).toBe(seed)
    expect(Effect.runSync(optionsWith(path)).nkeySeed).toBe(seed)
    rmSync(folder, { recursive: true })
  })

  it("that is neither is refused without being shown", () => {
    const error = Effect.runSync(Effect.flip(optionsWith("/no/such/secret")))
    expect(error).toMatchObject({ _tag: "InvalidSetting", setting: "natsNkey" })
    expect(error.message).not.toContain("/no/such/secret")
  })
})
