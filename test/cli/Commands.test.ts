/** Each command against a running cluster, by HTTP and by NATS: results, notes, exit codes. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type CommandOptions, type Dev, type Ended, run, startDev, version } from "./everwrite.ts"

let folder = ""
let dev: Dev
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-cli-"))
  dev = await startDev(folder)
})
afterAll(async () => {
  await dev.stop()
  rmSync(folder, { recursive: true })
})

const done = (stdout: string) => ({ code: 0, stdout, stderr: "" })

const ew = (args: ReadonlyArray<string>, options: CommandOptions = {}): Promise<Ended> =>
  run([...args, "--url", dev.nodes[0]!.http], options)

describe("by HTTP", () => {
  it("put prints the value that it wrote, get the stored one, and nothing else", async () => {
    expect(await ew(["put", "scratch", "hello", "\"world\""])).toEqual(done("\"world\"\n"))
    expect(await ew(["get", "scratch", "hello"])).toEqual(done("\"world\"\n"))
  })

  it("a value comes from standard input where there is no argument, or -", async () => {
    const input = "{\"a\": 1}"
    expect(await ew(["put", "scratch", "piped"], { input })).toEqual(done("{\"a\":1}\n"))
    expect(await ew(["put", "scratch", "piped", "-"], { input: "[2]" })).toEqual(done("[2]\n"))
  })

  it("an absent document is exit code 2, and one line", async () => {
    expect(await ew(["get", "scratch", "nix"]))
      .toEqual({ code: 2, stdout: "", stderr: "there is nothing under nix in scratch\n" })
    expect(await ew(["del", "scratch", "nix"])).toMatchObject({ code: 2, stdout: "" })
  })

  it("do carries out operations, with arguments as JSON or text, -3 among them", async () => {
    await ew(["do", "carts", "alice", "lines.add", "apple", "2"])
    expect(await ew(["do", "carts", "alice", "coupon.set", "XMAS"]))
      .toEqual(done("{\"coupon\":\"XMAS\",\"lines\":{\"apple\":2}}\n"))
    expect(await ew(["do", "visits", "home", "add", "-3"])).toEqual(done("-3\n"))
  })

  it("a write that is given again under its name is answered, and not applied again", async () => {
    const add = ["do", "visits", "named", "add", "1", "--id", "order 17"]
    expect(await ew(add)).toEqual(done("1\n"))
    expect(await ew([...add, "--if-unknown", "apply"])).toEqual(done("1\n"))
    expect(await run([...add, "--url", dev.nats])).toEqual(done("1\n"))
    expect(await ew(["do", "visits", "named", "add", "1", "--id", "order 18"])).toEqual(done("2\n"))
    const unnamed = await ew(["do", "visits", "named", "add", "1", "--id", " x"])
    expect(unnamed).toMatchObject({ code: 1, stdout: "" })
    expect(unnamed.stderr).toMatch(/^id is  x, expected/u)
  })

  it("a write prints a large document only where it is asked to", async () => {
    const long = "x".repeat(20_000)
    const set = ["do", "carts", "large", "coupon.set"]
    expect(await ew([...set, long])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "done; the document is not shown: read it\n"
    })
    expect(await ew([...set, long, "--show", "always"]))
      .toEqual(done(`{"coupon":"${long}","lines":{}}\n`))
  })

  it("put replaces siblings, do does not, del removes all that are there", async () => {
    await ew(["put", "notes", "n", "\"a\""])
    expect(await ew(["put", "notes", "n", "\"b\""])).toEqual(done("\"b\"\n"))
    const blind = await ew(["do", "notes", "n", "put", "\"c\""])
    expect(blind.stdout.split("\n").toSorted()).toEqual(["", "\"b\"", "\"c\""])
    expect(blind.stderr).toBe("2 siblings: concurrent writes that have not been merged\n")
    expect(await ew(["del", "notes", "n"])).toEqual(done(""))
    expect(await ew(["get", "notes", "n"])).toMatchObject({ code: 2 })
  })

  it("ls lists buckets and keys", async () => {
    await ew(["put", "scratch", "listed", "1"])
    const buckets = await ew(["ls"])
    expect(buckets.stdout).toMatch(/^BUCKET +STRATEGY +KEY +N +CODE +OPERATIONS\n/)
    expect(buckets.stdout).toMatch(/\ncarts +crdt document +text +3 +yes +lines\.add /)
    expect((await ew(["ls", "scratch"])).stdout.split("\n")).toContain("listed")
    expect((await ew(["ls", "scratch", "--limit", "1"])).stdout.trim().split("\n")).toHaveLength(1)
  })

  it("explain shows where a document lies and the state of each replica", async () => {
    await ew(["do", "visits", "seen", "add", "4", "--w", "all"])
    const { code, stdout } = await ew(["explain", "visits", "seen"])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^partition \d+ -> n\d n\d n\d {3}asked by n1\n/)
    expect(stdout.match(/^n\d +found +\d+ +[0-9a-f]{16} +n1:\d+ +4$/gmu)).toHaveLength(3)
    expect(stdout).toContain("all replicas are equal\na reader of all gets 4\n")
  })

  it("--json gives answers and errors with all their fields", async () => {
    await ew(["put", "scratch", "json", "7"])
    const found = await ew(["get", "scratch", "json", "--json", "--consistency", "strict"])
    expect(JSON.parse(found.stdout))
      .toEqual({
        values: [7],
        context: expect.any(String),
        replied: expect.any(Number),
        siblings: 1
      })
    const absent = await ew(["get", "scratch", "nix", "--json"])
    expect(JSON.parse(absent.stdout)).toMatchObject({ values: [], siblings: 0 })
    expect(JSON.parse(absent.stderr)).toMatchObject({ error: { _tag: "NotFound" } })
    const wrong = await ew(["get", "nosuch", "x", "--json"])
    expect(JSON.parse(wrong.stderr))
      .toMatchObject({ error: { _tag: "UnknownBucket", bucket: "nosuch" } })
    expect(JSON.parse((await ew(["ls", "--json"])).stdout)).toMatchObject({ cluster: "dev" })
    expect(JSON.parse((await ew(["explain", "scratch", "nix", "--json"])).stdout))
      .toMatchObject({ bucket: "scratch", agreed: true })
  })
})

const byNats = (...args: ReadonlyArray<string>) => run([...args, "--url", dev.nats])

it("every command also goes by NATS", async () => {
  expect(await byNats("put", "scratch", "far", "1")).toEqual(done("1\n"))
  expect(await byNats("get", "scratch", "far")).toEqual(done("1\n"))
  expect(await byNats("do", "visits", "far", "add", "2")).toEqual(done("2\n"))
  expect((await byNats("ls")).stdout).toContain("scratch")
  expect((await byNats("ls", "visits")).stdout.split("\n")).toContain("far")
  expect((await byNats("explain", "scratch", "far")).stdout).toContain("all replicas are equal")
  expect(await byNats("del", "scratch", "far")).toEqual(done(""))
  expect((await byNats("get", "scratch", "far")).code).toBe(2)
})

describe("wrong use is exit code 1, in one or two lines that name it:", () => {
  it.each([
    ["an unknown command", ["frob"], /Unknown subcommand "frob".*\neverwrite --help shows/],
    ["a missing argument", ["get", "scratch"], /Missing required argument: key\neverwrite get/],
    ["an unknown flag", ["get", "a", "b", "--frob"], /Unrecognized flag: --frob/],
    ["a count that is none", ["get", "a", "b", "--r", "some"], /--r/],
    ["a consistency that is none", ["get", "a", "b", "--consistency", "eventual"], /strict/],
    ["a time that is too long", ["get", "a", "b", "--timeout", "90000"], /1ms to 60s/],
    ["a bucket that is no name", ["get", "A", "b"], /A is no name of a bucket/],
    [
      "a value that is no JSON",
      ["put", "scratch", "x", "world"],
      /world is not JSON; a text is '"w/
    ],
    [
      "a URL that leads nowhere",
      ["get", "a", "b", "--url", "ftp://x"],
      /ftp:\/\/x is no address .* http:\/\/, https/
    ],
    ["a value that is missing", ["put", "scratch", "x"], /is not JSON/]
  ])("%s", async (_, args, message) => {
    const { code, stderr, stdout } = await run(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toMatch(message)
    expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(2)
  })

  it.each([
    ["an unknown bucket", ["get", "nosuch", "x"], "there is no bucket nosuch here\n"],
    [
      "an unknown operation",
      ["do", "visits", "x", "lines.add"],
      "bucket visits has no operation lines.add; it has add, delete\n"
    ],
    [
      "more replicas than there are",
      ["put", "scratch", "x", "1", "--w", "4"],
      "w is 4, expected one, quorum, all, or an integer from 1 to 3\n"
    ],
    [
      "an argument that does not fit",
      ["do", "visits", "x", "add", "two"],
      expect.stringContaining("bucket visits, add, at $[0]: ")
    ]
  ])("%s", async (_, args, stderr) => {
    expect(await run([...args, "--url", dev.nodes[0]!.http])).toEqual({
      code: 1,
      stdout: "",
      stderr
    })
  })
})

describe("an unavailable store is exit code 3:", () => {
  it.each([
    ["no node", ["get", "a", "b", "--url", "http://127.0.0.1:1"]],
    ["no broker", ["get", "a", "b", "--url", "nats://127.0.0.1:1"]]
  ])("%s", async (_, args) => {
    const { code, stderr } = await run(args)
    expect(code).toBe(3)
    expect(stderr).toContain("127.0.0.1:1")
  })

  it("no node of that cluster", async () => {
    const args = ["get", "scratch", "x", "--url", dev.nats, "--cluster", "elsewhere"]
    expect((await run([...args, "--timeout", "500"])).code).toBe(3)
  })
})

it("EVERWRITE_URL says where, unless --url does", async () => {
  const env = { EVERWRITE_URL: dev.nodes[1]!.http }
  expect((await run(["ls"], { env })).code).toBe(0)
  expect((await run(["ls", "--url", "http://127.0.0.1:1"], { env })).code).toBe(3)
})

it("--version prints the version alone", async () => {
  expect(await run(["--version"])).toEqual(done(`${version}\n`))
})

it("--help of every command says its purpose", async () => {
  const { code, stdout } = await run(["--help"])
  expect(code).toBe(0)
  for (const command of ["dev", "start", "get", "put", "del", "do", "ls", "explain"]) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} +[A-Z]`, "mu"))
  }
})
