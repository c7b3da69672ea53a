/** Commands that are typed as people type them by mistake: each is told the way to mend it. */
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { until } from "../tooling/until.ts"
import { run, start } from "./everwrite.ts"

describe("a flag before the command", () => {
  it.each([
    ["--url", ["--url", "http://127.0.0.1:7420", "put", "scratch", "hello", "1"]],
    ["--consistency", ["--consistency=strict", "get", "scratch", "hello"]],
    ["--frob", ["--frob", "get", "scratch", "hello"]],
    ["-x", ["-x"]]
  ])("%s is refused alone, with the place where flags stand", async (flag, args) => {
    const { code, stderr, stdout } = await run(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    const [problem] = stderr.split("\n")
    expect(problem).toBe(
      `Unrecognized flag: ${flag} in command everwrite; flags stand behind the command, as in `
        + "everwrite get scratch hello --url URL"
    )
  })
})

describe("a value behind a flag that takes none", () => {
  it.each([
    ["--wait-for-nats", ["start", "--wait-for-nats", "1 minute"], "\"1 minute\""],
    ["--form", ["start", "--form", "n1"], "\"n1\""],
    ["--json", ["status", "--json", "pretty"], "\"pretty\""]
  ])("%s is refused, and the flag named", async (flag, args, value) => {
    const { code, stderr, stdout } = await run(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    const [problem] = stderr.split("\n")
    expect(problem).toBe(`Unexpected positional argument: ${value}; ${flag} takes no value`)
  })

  it.each([
    ["of a command that takes fewer", ["get", "scratch", "hello", "more"]],
    ["behind the value of a flag", ["status", "--url", "http://127.0.0.1:7420", "more"]],
    ["that is also the value of a flag", ["status", "--url", "more", "more"]],
    ["behind a flag with its value", ["status", "--url=http://127.0.0.1:7420", "more"]]
  ])("is not how an argument is told %s", async (_, args) => {
    const { code, stderr } = await run(args)
    expect(code).toBe(1)
    expect(stderr.split("\n")[0]).toBe("Unexpected positional argument: \"more\"")
  })
})

describe("a value that is no JSON", () => {
  it.each(["world", "[\"x\"", "{\"a\": \"b\"", "\"", "a\\b", "two\nlines", "a\ttab"])(
    "%j is told the JSON of it as a text, in quotes for a shell",
    async (typed) => {
      const { code, stderr } = await run(["put", "wishes", "ada", typed])
      expect(code).toBe(1)
      const [, advice = ""] = /a text is '(.*)'\n$/u.exec(stderr) ?? []
      expect(JSON.parse(advice)).toBe(typed)
    }
  )

  it("one with an apostrophe is told how a shell takes it", async () => {
    const { stderr } = await run(["put", "wishes", "ada", "Ada's"])
    expect(stderr).toContain("a text is '\"Ada'\\''s\"'")
  })

  it("a long one is told the form alone", async () => {
    const { stderr } = await run(["put", "wishes", "ada", "a".repeat(100)])
    expect(stderr).toMatch(/^a{40}\.\.\. is not JSON; a text is JSON in quotes, as '"world"'\n$/u)
  })

  it("one that begins as JSON is told where it ends to be JSON", async () => {
    const { stderr } = await run(["put", "wishes", "ada", "[\"x\""])
    expect(stderr).toMatch(/^\["x" is not JSON \(.*position 4.*\); a text is /u)
  })
})

describe("on a node of a cluster that has not formed", () => {
  const scratch = Bucket.lww("scratch", { key: Key.text, value: Schema.Json })
  let folder = ""
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "everwrite-typed-"))
    const config = JSON.stringify({ buckets: [scratch.definition] })
    writeFileSync(join(folder, "everwrite.config.json"), config)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it("put says that it replaced nothing only where it has written", async () => {
    const args = ["--node", "n1", "--members", "n1,n2,n3", "--nats", "embedded", "--http", "0"]
    const node = start(["start", ...args], { cwd: folder })
    const ready = () => /"http":"(http:[^"]+)"/u.exec(node.stderr())?.[1]
    await until("the node is ready", () => ready() !== undefined, { withinMillis: 30_000 })
    const put = (key: string, ...flags: ReadonlyArray<string>) =>
      run(["put", "scratch", key, "1", "--url", ready()!, "--timeout", "500ms", ...flags])
    const strict = await put("a", "--consistency", "strict")
    expect(strict).toMatchObject({ code: 3, stdout: "" })
    expect(strict.stderr).not.toContain("replace")
    const note = "nothing could be read, so this write replaced nothing\n"
    expect(await put("b", "--consistency", "available")).toEqual({
      code: 0,
      stdout: "1\n",
      stderr: note
    })
    const { stderr, stdout } = await put("c", "--consistency", "available", "--json")
    expect(JSON.parse(stdout)).toMatchObject({ values: [1], blind: true })
    expect(stderr).toBe("")
    const ofOwners = await put("d", "--w", "one", "--pw", "all", "--no-sloppy")
    expect([ofOwners.code, ofOwners.stderr]).toEqual([
      3,
      expect.stringMatching(/^write needed w 1, pw 3, .*; --no-sloppy lets no other node stand in/u)
    ])
    const reading = ["--r", "one", "--pr", "2", "--sloppy"]
    const { stderr: read } = await run(["get", "scratch", "b", "--url", ready()!, ...reading])
    expect(read).toMatch(/^read needed r 1, pr 2, /u)
    expect(read).not.toContain("stand in")
    node.child.kill("SIGTERM")
    expect(await node.ended).toMatchObject({ code: 0 })
  })
})

describe("an address that leads nowhere is told the variable, the flag and the forms:", () => {
  const forms = /--url \(or EVERWRITE_URL\), such as http:\/\/127.0.0.1:7420 .* nats:\/\/127.0.0.1/u

  it.each([
    ["by a variable", [], { EVERWRITE_URL: "localhost:7420" }, 1],
    ["by a variable of a port without a node", [], { EVERWRITE_URL: "http://127.0.0.1:9" }, 3],
    ["by a flag of a broker that is not there", ["--url", "nats://127.0.0.1:9"], {}, 3]
  ])("%s", async (_, flags, env, expected) => {
    const { code, stderr } = await run(["get", "wishes", "ada", ...flags], { env })
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringMatching(forms) })
  })
})
