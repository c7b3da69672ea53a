/** Characters that nobody sees: in what is typed, and in what is shown. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { scratch } from "../../src/node/SampleBuckets.ts"
import { until } from "../tooling/until.ts"
import { type Dev, run, script, start, startDev, startOnTerminal } from "./everwrite.ts"

let folder = ""
let dev: Dev
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-invisible-"))
  dev = await startDev(folder)
})
afterAll(async () => {
  await dev.stop()
  rmSync(folder, { recursive: true })
})

/** Clears a terminal, and turns its text red. */
const evil = "a\u001b[2J\u001b[31m\u009b2Jb\u202e"
const value = JSON.stringify({ text: "\u009b2J\u202e" })

describe("what a terminal would carry out is shown escaped", () => {
  it.skipIf(!existsSync(script))("by ls and get on a terminal", async () => {
    const url = ["--url", dev.nodes[0]!.http]
    expect((await run(["put", "scratch", evil, value, ...url])).code).toBe(0)
    const listed = await startOnTerminal(["ls", "scratch", ...url]).ended
    expect(listed.stdout).toContain("a\\u001b[2J\\u001b[31m\\u009b2Jb\\u202e")
    const got = await startOnTerminal(["get", "scratch", evil, ...url]).ended
    expect(got.stdout).toContain(`{"text":"\\u009b2J\\u202e"}`)
    const absent = await startOnTerminal(["get", "visits", evil, ...url]).ended
    for (const { stderr, stdout } of [listed, got, absent]) {
      expect(stdout + stderr).not.toMatch(/(?!\s)[\p{Cc}\p{Cf}]/u)
    }
  }, 60_000)

  it(
    "by get to a pipe, whose reader gets the same value; ls gives it the key as it is",
    async () => {
      const url = ["--url", dev.nodes[0]!.http]
      await run(["put", "scratch", evil, value, ...url])
      const { stdout } = await run(["get", "scratch", evil, ...url])
      expect(stdout).not.toMatch(/[\u009b\u202e]/u)
      expect(JSON.parse(stdout)).toEqual(JSON.parse(value))
      expect((await run(["ls", "scratch", ...url])).stdout).toContain(`${evil}\n`)
      const [json = ""] = (await run(["ls", "scratch", "--json", ...url])).stdout.split("\n")
      expect(JSON.parse(json)).toBe(evil)
    },
    60_000
  )
})

it("the end of a line after an address, a name and a token is left out", async () => {
  const env = {
    EVERWRITE_URL: `${dev.nodes[0]!.http}\r`,
    EVERWRITE_HTTP_TOKEN: `${"t".repeat(16)}\r`
  }
  expect((await run(["ls"], { env })).code).toBe(0)
  const nats = { EVERWRITE_URL: `\ufeff${dev.nats} `, EVERWRITE_CLUSTER: "dev\r" }
  expect((await run(["ls"], { env: nats })).code).toBe(0)
  const { stderr } = await run(["get", "scratch\r", "k", "--url", dev.nodes[0]!.http])
  expect(stderr).toContain("scratch\\r is no name of a bucket")
}, 60_000)

it("a node goes on with its data when a line's end stands after the folder's name", async () => {
  writeFileSync(
    join(folder, "everwrite.config.json"),
    `\ufeff${JSON.stringify({ buckets: [scratch.definition] })}\r\n`
  )
  const env = {
    EVERWRITE_CLUSTER_KEY: "a key for the tests",
    EVERWRITE_DATA_DIR: "mine\r",
    EVERWRITE_DATADIR: "other"
  }
  const node = start(["start", "--http", "off", "--nats", "embedded"], { cwd: folder, env })
  await until(`the node is ready: ${node.stderr()}`, () => node.stderr().includes("ready"), {
    withinMillis: 30_000
  })
  node.child.kill("SIGTERM")
  await node.ended
  expect(readdirSync(folder)).toContain("mine")
  expect(node.stderr()).toMatch(/EVERWRITE_DATADIR is no variable.*EVERWRITE_DATA_DIR is one/u)
}, 60_000)

it("all that is wrong is told at once, a line each", async () => {
  const { code, stderr } = await run(["start", "--config", "none.json", "--log-level", "loud"], {
    cwd: folder,
    env: { EVERWRITE_PRESET: "moon" }
  })
  expect(code).toBe(1)
  expect(stderr.trim().split("\n")).toEqual([
    expect.stringMatching(/^none\.json: /u),
    expect.stringMatching(/^logLevel is loud/u),
    expect.stringMatching(/^preset is moon/u)
  ])
}, 60_000)
