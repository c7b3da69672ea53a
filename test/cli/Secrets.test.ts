/** The commands, given an address with a password: nothing that they print tells it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { run } from "./everwrite.ts"

const notes = Bucket.lww("notes", { key: Key.text, value: Schema.String })

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-secrets-"))
  const config = join(folder, "everwrite.config.json")
  writeFileSync(config, JSON.stringify({ buckets: [notes.definition] }))
})
afterAll(() => rmSync(folder, { recursive: true }))

const odd = [
  "nats://svc:s3cret,x@127.0.0.1:1",
  "nats://svc:9/s3cret@127.0.0.1:1",
  "nat://svc:s3cret@127.0.0.1:1"
]

const env = { EVERWRITE_CLUSTER_KEY: "a key for the tests" }

/** Runs a command that is refused, and returns all that it printed. */
const refused = async (
  args: ReadonlyArray<string>,
  more: Readonly<Record<string, string>> = {}
): Promise<string> => {
  const { code, stderr, stdout } = await run(args, { cwd: folder, env: { ...env, ...more } })
  expect(code).not.toBe(0)
  expect(stderr).not.toBe("")
  return stdout + stderr
}

describe.each(odd)("the password of %s is not printed by", (address) => {
  it("start, from a flag and from a variable", async () => {
    const start = ["start", "--http", "off", "--data", "data"]
    expect(await refused([...start, "--nats", address])).not.toContain("s3cret")
    expect(await refused(start, { NATS_URL: address })).not.toContain("s3cret")
  }, 60_000)

  it("get, for people and as JSON", async () => {
    const get = ["get", "notes", "k", "--url", address, "--timeout", "100"]
    expect(await refused(get)).not.toContain("s3cret")
    expect(await refused([...get, "--json"])).not.toContain("s3cret")
  }, 60_000)

  it("a command line in which it stands at a wrong place", async () => {
    expect(await refused([address])).not.toContain("s3cret")
    expect(await refused(["ls", "--timeout", address])).not.toContain("s3cret")
    expect(await refused(["nats-config", "--nodes", "n1", "--host", address]))
      .not.toContain("s3cret")
  }, 60_000)
})

it("get over HTTP does not print the password in its address", async () => {
  const get = ["get", "notes", "k", "--url", "http://svc:s3cret@127.0.0.1:1"]
  expect(await refused(get)).toMatch(/^http:\/\/127\.0\.0\.1:1 .*EVERWRITE_HTTP_TOKEN/u)
}, 60_000)
