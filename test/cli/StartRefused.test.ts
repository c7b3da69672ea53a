// Checks that `everwrite start` refuses a directory it cannot use and a node open to a network, and
// says how to mend it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import * as Schema from "effect/Schema"
import { run, start } from "./everwrite.ts"
import { until } from "../tooling/until.ts"

const notes = Bucket.lww("notes", { key: Key.text, value: Schema.String })

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-refused-"))
  const config = join(folder, "everwrite.config.json")
  writeFileSync(config, JSON.stringify({ buckets: [notes.definition] }))
})
afterEach(() => rmSync(folder, { recursive: true }))

const env = { EVERWRITE_CLUSTER_KEY: "a key for the tests" }
const usual = ["start", "--http", "off", "--nats", "embedded"]

/** The error of a start with these flags. */
const refused = async (
  args: ReadonlyArray<string>,
  options: { readonly env?: Readonly<Record<string, string>> } = { env }
): Promise<string> => {
  const { code, stderr, stdout } = await run(args, { cwd: folder, ...options })
  expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: expect.any(String) })
  expect(stderr.trim().split("\n")).toHaveLength(1)
  return stderr
}

describe("a directory that cannot be used is named, and how to mend it:", () => {
  it.each(["/proc/nope", "/proc/nope/below", "/sys/nope"])("%s", async (path) => {
    expect(await refused([...usual, "--data", path])).toMatch(
      new RegExp(`^no storage at ${path}: .*--data`, "u")
    )
  }, 30_000)

  it("a file", async () => {
    writeFileSync(join(folder, "file"), "x")
    for (const path of ["file", "file/below"]) {
      expect(await refused([...usual, "--data", path])).toMatch(
        /^no storage at \S*\/file\S*: .*(remove the file|a file stands).*--data/u
      )
    }
  })

  it("one whose lock holds something else", async () => {
    mkdirSync(join(folder, "data"))
    writeFileSync(join(folder, "data", "lock"), "garbage ".repeat(100))
    expect(await refused([...usual, "--data", "data"])).toMatch(
      /^no storage at \S*\/data\/lock: this lock file holds something else; remove it if /u
    )
    expect(readFileSync(join(folder, "data", "lock"), "utf8")).toMatch(/^garbage /u)
  })

  it("one whose lock is no file", async () => {
    mkdirSync(join(folder, "data", "lock"), { recursive: true })
    expect(await refused([...usual, "--data", "data"])).toMatch(
      /^no storage at \S*\/data\/lock: .*--data/u
    )
  })

  it("one whose lock leads nowhere", async () => {
    mkdirSync(join(folder, "data"))
    symlinkSync("/proc/nope", join(folder, "data", "lock"))
    expect(await refused([...usual, "--data", "data"])).toMatch(
      /^no storage at .*\/data\/lock.*--data/u
    )
  })

  it("one whose store is another program's file", async () => {
    mkdirSync(join(folder, "data"))
    writeFileSync(join(folder, "data", "store.sqlite"), "garbage ".repeat(1_000))
    expect(await refused([...usual, "--data", "data"])).toMatch(
      /^no storage at \S*\/data\/store\.sqlite: .*move this file away/u
    )
  })

  it("that of another cluster, and that of another node", async () => {
    const node = start([...usual, "--data", "data"], { cwd: folder, env })
    await until("the node is ready", () => node.stderr().includes("ready"), {
      withinMillis: 30_000
    })
    node.child.kill("SIGTERM")
    await node.ended
    for (const other of [["--cluster", "other"], ["--node", "n7"]]) {
      expect(await refused([...usual, "--data", "data", ...other])).toMatch(
        /^no storage at \S*\/data\/store\.sqlite: it belongs to node "n1" of .*--data/u
      )
    }
  }, 60_000)
})

describe("beyond loopback a node does not start", () => {
  const open = ["start", "--nats", "embedded", "--http", "0", "--http-host", "0.0.0.0"]

  it("without a token, or the word that a proxy asks for credentials", async () => {
    expect(await refused(open)).toMatch(
      /^httpToken is not set .* EVERWRITE_HTTP_TOKEN; or set EVERWRITE_HTTP_AUTH=proxy/u
    )
  })

  it("with a token that is none, which is not shown", async () => {
    const stderr = await refused(open, { env: { ...env, EVERWRITE_HTTP_TOKEN: "hunter2" } })
    expect(stderr).toMatch(/^httpToken is a secret that does not fit .from EVERWRITE_HTTP_TOKEN/u)
    expect(stderr).not.toContain("hunter2")
  })

  it("without a cluster key", async () => {
    expect(await refused(["start", "--nats", "nats://192.0.2.1:4222"], {})).toMatch(
      /^clusterKey is not set .* EVERWRITE_CLUSTER_KEY/u
    )
  })

  it("and with a token it does, and asks each command for it", async () => {
    const token = "a-token-for-the-tests"
    const given = { ...env, EVERWRITE_HTTP_TOKEN: `${token},the-former-token-000` }
    const node = start(open, { cwd: folder, env: given })
    const place = () => /"http":"http:\/\/0\.0\.0\.0:(\d+)"/u.exec(node.stderr())?.[1]
    await until("the node is ready", () => place() !== undefined, { withinMillis: 30_000 })
    const list = ["ls", "--url", `http://127.0.0.1:${place() ?? ""}`]
    expect(await run(list)).toMatchObject({ code: 1, stderr: expect.stringMatching(/token/u) })
    expect(await run([...list, "--token", token])).toMatchObject({ code: 0 })
    expect(await run(list, { env: { EVERWRITE_HTTP_TOKEN: given.EVERWRITE_HTTP_TOKEN } }))
      .toMatchObject({ code: 0 })
    const wrong = await run([...list, "--token", "a-wrong-token-00"])
    expect(wrong.code).toBe(1)
    expect(wrong.stderr + node.stderr()).not.toMatch(/a-wrong-token|a-token-for|the-former/u)
    node.child.kill("SIGTERM")
    await node.ended
  }, 60_000)
})

describe("a command line that the parser refuses is told with all else that is wrong:", () => {
  const wrong = { EVERWRITE_LOG_LEVEL: "loud", EVERWRITE_NODES: "n1" }

  it.each([
    ["an unknown flag", ["--frob"], "Unrecognized flag: --frob in command everwrite start"],
    ["a flag without its value", ["--node"], "Missing value for flag --node. Expected: string"],
    [
      "a switch with another value",
      ["--wait-for-nats=1m"],
      "Invalid value for flag --wait-for-nats: \"1m\". Expected: no value, or true, on, false or "
      + "off"
    ]
  ])("%s", async (_, flags, problem) => {
    const config = join(folder, "wrong.config.json")
    writeFileSync(config, JSON.stringify({ natz: 1, buckets: [notes.definition] }))
    const args = ["start", "--http=80a", "--config", config, ...flags]
    const { code, stderr, stdout } = await run(args, { cwd: folder, env: wrong })
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr.trim().split("\n")).toEqual([
      problem,
      `${config}: there is no setting natz; expected nats`,
      expect.stringMatching(/^http is 80a \(from --http\)/u),
      expect.stringMatching(/^logLevel is loud \(from EVERWRITE_LOG_LEVEL\)/u),
      expect.stringMatching(/^EVERWRITE_NODES is no variable/u),
      "everwrite start --help shows its usage"
    ])
  })

  it("by dev too", async () => {
    const { code, stderr } = await run(["dev", "--port", "x"], { cwd: folder, env: wrong })
    expect(code).toBe(1)
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringMatching(/^Invalid value for flag --port: "x"/u),
      expect.stringMatching(/^logLevel is loud/u),
      expect.stringMatching(/^EVERWRITE_NODES is no variable/u),
      "everwrite dev --help shows its usage"
    ])
  })
})
