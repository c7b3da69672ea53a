// Checks that all that is wrong in a configuration is told at once, and that nothing which looks
// like a setting is ignored without a word.
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { decode } from "../../src/node/ConfigFile.ts"
import { configure, unknownVariables } from "../../src/node/Configuration.ts"
import { scratch } from "../../src/node/SampleBuckets.ts"
import { fromEnvironment, fromFlags, fromObject, type Source } from "../../src/node/Setting.ts"
import { resolve } from "../../src/node/Settings.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-configuration-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (text: string): string => {
  const path = join(folder, "everwrite.config.json")
  writeFileSync(path, text)
  return path
}

const configured = (path: string | undefined, ...sources: ReadonlyArray<Source>) =>
  configure({
    environment: {},
    path,
    resolve: (file) => resolve([...sources, file]),
    nothingToServe: (config) => config?.buckets.length === 0 ? "no buckets" : undefined
  })

const linesOf = (effect: Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.runPromise(Effect.map(Effect.flip(effect), ({ message }) => message.split("\n")))

describe("all faults are told at once:", () => {
  it("of flags, variables and a file", async () => {
    const path = write(JSON.stringify({
      natz: "nats://a",
      logLevel: "loud",
      buckets: [7, scratch.definition, { name: "A" }, scratch.definition]
    }))
    const lines = await linesOf(configured(
      path,
      fromFlags({ http: "80a" }),
      fromEnvironment({ EVERWRITE_NODE: "N1", EVERWRITE_PRESET: "moon", NATS_PASSWORD: "" })
    ))
    expect(lines).toEqual([
      `${path}: there is no setting natz; expected nats`,
      expect.stringContaining(`${path}: buckets[0]`),
      expect.stringContaining(`${path}: buckets[2]`),
      `${path}: buckets: scratch is declared twice`,
      expect.stringMatching(/^node is N1 \(from EVERWRITE_NODE\)/u),
      expect.stringMatching(/^http is 80a \(from --http\)/u),
      expect.stringMatching(/^logLevel is loud/u),
      expect.stringMatching(/^preset is moon \(from EVERWRITE_PRESET\)/u)
    ])
  })

  it.each([
    "nats://svc:s3cret,x@h",
    "nat://svc:s3cret@h",
    "nats://svc:s3cret/x@h",
    "nats://svc:s3cret",
    "nats://svc:%zzs3cret@h"
  ])(
    "of an address of brokers (%s), a key, a variable, a flag, files and a bucket",
    async (url) => {
      const environment = {
        NATS_URL: url,
        NATS_CREDS: "none.creds",
        NATS_CERT: folder,
        NATS_NKEY: "none.nk",
        NATS_PASSWORD: "s3cret of a user",
        EVERWRITE_CLUSTER_KEY: "s3cret",
        EVERWRITE_NODES: "s3cret"
      }
      const path = write(JSON.stringify({ members: [], buckets: [{ name: "A" }] }))
      const lines = await linesOf(configure({
        environment,
        path,
        resolve: (file) =>
          resolve([fromFlags({ http: "80a" }), fromEnvironment(environment), file]),
        nothingToServe: () => undefined
      }))
      expect(lines.join("\n")).not.toContain("s3cret")
      const beginnings = [
        `${path}: buckets[0]: name: expected 1 to 64`,
        "members is [] (from ",
        "clusterKey is a secret that does not fit (from EVERWRITE_CLUSTER_KEY); expected at least",
        "nats is hidden (from NATS_URL); expected embedded, or nats://host:port",
        "http is 80a (from --http); expected a port",
        "natsCreds is none.creds (from NATS_CREDS); expected the path of a file that this user can "
        + "read: there is none",
        `natsCert is ${folder} (from NATS_CERT); expected the path of a file`,
        "natsNkey is a secret that does not fit (from NATS_NKEY); expected a user's seed",
        "natsUser is not set (by default); expected the user of natsPassword (NATS_USER)",
        "natsKey is not set (by default); expected the file with the key of natsCert (NATS_KEY)",
        "EVERWRITE_NODES is no variable of everwrite, and is ignored: EVERWRITE_NODE is one"
      ]
      const shown = lines.map((line) => line.replace(/^nats is nats?:\S+/u, "nats is hidden"))
      expect(shown).toEqual(beginnings.map((text) => expect.stringContaining(text)))
    }
  )

  it("of several settings together, and of none that follows from another fault", async () => {
    const open = fromObject({ httpHost: "0.0.0.0", members: "n1,n1", node: "n2" }, "the test")
    expect(await linesOf(resolve([open]))).toEqual([
      expect.stringMatching(/^members is n1,n1/u),
      expect.stringMatching(/^node is n2/u),
      expect.stringMatching(/^httpToken is not set/u),
      expect.stringMatching(/^clusterKey is not set/u)
    ])
    const short = fromObject({ httpHost: "0.0.0.0", clusterKey: "short", node: "N" }, "the test")
    expect((await linesOf(resolve([short]))).map((line) => line.split(" ")[0]))
      .toEqual(["node", "clusterKey", "httpToken"])
  })

  it("of a file that cannot be read and a variable", async () => {
    const lines = await linesOf(configured(write("{"), fromEnvironment({ EVERWRITE_NODE: "N" })))
    expect(lines).toEqual([
      expect.stringContaining("no JSON"),
      expect.stringMatching(/^node is N/u)
    ])
  })

  it("of nothing to serve and a variable", async () => {
    const lines = await linesOf(configured(write("{}"), fromEnvironment({ EVERWRITE_NODE: "N" })))
    expect(lines).toEqual(["no buckets", expect.stringMatching(/^node is N/u)])
  })

  it("of the options of a program", () => {
    expect(decode({ natz: 1, clustr: 2, buckets: [7] })).toMatchObject({
      failure: expect.stringMatching(/^.*natz.*\n.*clustr.*\nbuckets\[0\]: /u)
    })
  })
})

describe("a variable that nobody reads is told, with the nearest that is one:", () => {
  it.each([
    ["EVERWRITE_DATADIR", "EVERWRITE_DATA_DIR is one"],
    ["everwrite_data_dir", "EVERWRITE_DATA_DIR is one"],
    ["EVERWRITE_HTTP_TOKENS", "EVERWRITE_HTTP_TOKEN is one"],
    ["EVERWRITE_COLOUR", "`everwrite start --help` lists all"]
  ])("%s", (name, meant) => {
    expect(unknownVariables({ [name]: "s3cret", PATH: "/bin", EVERWRITE_URL: "x" }))
      .toEqual([`${name} is no variable of everwrite, and is ignored: ${meant}`])
  })
})

const ends = ["\r", "\n", " ", "\u200b", "\ufeff", "\t\r\n"]

describe.each(ends)("characters around a value that nobody sees, %j,", (end) => {
  it("are left out from flags, variables and files", async () => {
    const given = (text: string) => `${end}${text}${end}`
    const content = { dataDir: given("data"), buckets: [scratch.definition] }
    const { settings } = await Effect.runPromise(configured(
      write(`${JSON.stringify(content)}${end}`),
      fromFlags({ cluster: given("c1") }),
      fromEnvironment({ EVERWRITE_NODE: given("n1"), EVERWRITE_HTTP_PORT: end })
    ))
    expect(settings).toMatchObject({ cluster: "c1", node: "n1", dataDir: "data", http: 7420 })
  })
})

it("a character inside a value that nobody sees is refused and shown", async () => {
  const environment = { EVERWRITE_DATA_DIR: "da\u200bta", EVERWRITE_NODE: "n\r1" }
  expect(await linesOf(resolve([fromEnvironment(environment)]))).toEqual([
    expect.stringMatching(
      /^node is n\\r1 \(from EVERWRITE_NODE\); expected .*, without invisible/u
    ),
    "dataDir is da\\u200bta (from EVERWRITE_DATA_DIR); expected a path, "
    + "without invisible characters"
  ])
})
