// Checks the help of each command: lines that fit a terminal, defaults, secrets and examples; and
// that a config file that fails is told with the line at which it does.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { run, version } from "./everwrite.ts"

const commands = [
  "dev",
  "start",
  "get",
  "put",
  "del",
  "do",
  "ls",
  "explain",
  "status",
  "sync",
  "hints",
  "cluster",
  "nats-config",
  "version"
]

describe("the help of", () => {
  it("everwrite names each command, and fits 80 columns", async () => {
    const { code, stdout } = await run(["--help"])
    expect(code).toBe(0)
    for (const command of commands) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} +[A-Z]`, "mu"))
    }
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
  })

  it.each(commands)("%s fits 80 columns, and has an example", async (command) => {
    const { code, stdout } = await run([command, "--help"])
    expect(code).toBe(0)
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
    if (command !== "version") expect(stdout).toMatch(new RegExp(`^ {2}everwrite ${command}`, "mu"))
  })

  it("commands that ask a node says where they ask, and with which credentials", async () => {
    const words = (await run(["get", "--help"])).stdout.replaceAll(/\s+/gu, " ")
    expect(words).toContain("else EVERWRITE_URL, else http://127.0.0.1:7420")
    for (const variable of ["EVERWRITE_HTTP_TOKEN", "NATS_CREDS", "NATS_PASSWORD", "NATS_NKEY"]) {
      expect(words).toContain(` ${variable} `)
    }
  })

  it("start has each default, and the variables of secrets, which have no flag", async () => {
    const { stdout } = await run(["start", "--help"])
    const words = stdout.replaceAll(/\s+/gu, " ")
    expect(words).toContain("(else EVERWRITE_HTTP_PORT, else 7420)")
    for (const secret of ["CLUSTER_KEY", "CLUSTER_KEY_PREVIOUS", "HTTP_TOKEN"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}EVERWRITE_${secret}\\b`, "mu"))
    }
    expect(words).not.toContain("--cluster-key")
  })
})

it("version prints the version, as --version does", async () => {
  expect(await run(["version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" })
  expect((await run(["--version"])).stdout).toBe(`${version}\n`)
})

it.each(["0", "61s", "2m", "soon", "-1s", "5 s"])("a timeout of %s is refused", async (timeout) => {
  const { code, stderr } = await run(["get", "scratch", "k", `--timeout=${timeout}`])
  expect(code).toBe(1)
  expect(stderr).toContain("Expected: 1ms to 60s, such as 500ms or 5s")
})

describe("a config file is refused with the line at which", () => {
  let folder = ""
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "everwrite-help-"))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const refused = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const { code, stderr } = await run(["start", "--config", "a.config.ts"], { cwd: folder })
    expect(code).toBe(1)
    return stderr
  }

  it("it throws", async () => {
    expect(await refused({ "a.config.ts": "const a = 1\n\nthrow new Error(\"boom\")\n" }))
      .toContain("a.config.ts: boom (at a.config.ts:3:7)\n")
  })

  it("a file throws that it imports", async () => {
    const files = {
      "a.config.ts": "import \"./b.ts\"\nexport default {}\n",
      "b.ts": "\nexport const b: number = JSON.parse(\"no\")\n"
    }
    expect(await refused(files)).toMatch(/^a\.config\.ts: Unexpected token .* \(at b\.ts:2:31\)$/mu)
  })

  it("it is no TypeScript", async () => {
    expect(await refused({ "a.config.ts": "export default {\n  buckets: [}\n}\n" }))
      .toMatch(/^a\.config\.ts: .* \(at a\.config\.ts:2\)$/mu)
  })
})
