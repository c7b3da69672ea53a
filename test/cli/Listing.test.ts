// Checks what the command line shows of a cluster: keys by prefix, page, count and value; how its
// nodes see each other; and deleted documents as such.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Dev, run, startDev } from "./everwrite.ts"

const folder = mkdtempSync(join(tmpdir(), "everwrite-listing-"))
let dev: Dev

const keys = Array.from({ length: 7 }, (_, at) => `${at < 4 ? "a" : "b"}${at}`)

beforeAll(async () => {
  dev = await startDev(folder)
  for (const key of keys) await byHttp("put", "scratch", key, JSON.stringify(key.toUpperCase()))
})
afterAll(async () => {
  await dev.stop()
  rmSync(folder, { recursive: true })
})

const byHttp = (...args: ReadonlyArray<string>) => run([...args, "--url", dev.nodes[0]!.http])
const byNats = (...args: ReadonlyArray<string>) => run([...args, "--url", dev.nats])

const linesOf = (text: string) => text.split("\n").filter((line) => line !== "")

describe.each([["HTTP", byHttp], ["NATS", byNats]] as const)("by %s", (_, ew) => {
  it("ls lists the keys that begin with a prefix, and counts them", async () => {
    const { stdout } = await ew("ls", "scratch", "--prefix", "a")
    expect(linesOf(stdout).toSorted()).toEqual(["a0", "a1", "a2", "a3"])
    expect((await ew("ls", "scratch", "--prefix", "b", "--count")).stdout).toBe("3\n")
    expect((await ew("ls", "scratch", "--count", "--json")).stdout).toBe("{\"count\":7}\n")
  })

  it("ls goes on where it ended, so that each key is listed once", async () => {
    const seen: Array<string> = []
    let after: ReadonlyArray<string> = []
    for (let pages = 0; pages < 5; pages++) {
      const prefix = pages % 2 === 0 ? [] : ["--prefix", ""]
      const page = await ew("ls", "scratch", "--limit", "2", ...prefix, ...after)
      expect(linesOf(page.stdout).length).toBeLessThanOrEqual(2)
      seen.push(...linesOf(page.stdout))
      const [, next] = /^there may be more: everwrite ls scratch --after '(\S+)'$/mu
        .exec(page.stderr) ?? []
      if (next === undefined) break
      after = ["--after", next]
    }
    expect(seen.toSorted()).toEqual(keys)
  })

  it("a limit ends a list at a key of the prefix, and the next page begins after it", async () => {
    const first = await ew("ls", "scratch", "--prefix", "a", "--limit", "3")
    expect(linesOf(first.stdout)).toHaveLength(3)
    const [, next = ""] = /--after '(\S+)'/u.exec(first.stderr) ?? []
    const rest = await ew("ls", "scratch", "--prefix", "a", "--after", next)
    expect([...linesOf(first.stdout), ...linesOf(rest.stdout)].toSorted())
      .toEqual(["a0", "a1", "a2", "a3"])
  })

  it("ls shows values behind their keys, and as JSON", async () => {
    const { stdout } = await ew("ls", "scratch", "--prefix", "b", "--values")
    expect(linesOf(stdout).toSorted()).toEqual(["b4\t\"B4\"", "b5\t\"B5\"", "b6\t\"B6\""])
    const json = await ew("ls", "scratch", "--prefix", "a0", "--values", "--json")
    expect(JSON.parse(json.stdout)).toEqual({ key: "a0", values: ["A0"] })
  })

  it("status tells the cluster, and how its nodes see each other", async () => {
    const { code, stdout } = await ew("status")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^cluster dev, as n\d sees it: formed, this node complete\n/u)
    const peer =
      /^n\d +1 +- +up +heard \d+\.\d s ago +(?:[+-]?\d+ ms|-) +(?:-|\S+ s ago) +[0-9A-Za-z]+$/gmu
    expect(stdout.match(peer)).toHaveLength(2)
    expect(stdout.match(/^n\d +1 +- +up +answers +- +- +-$/gmu)).toHaveLength(1)
    const { peers } = JSON.parse((await ew("status", "--json")).stdout)
    expect(peers).toHaveLength(2)
  })

  it("sync compares the documents of a node with those of the others", async () => {
    const { code, stdout } = await ew("sync", "scratch")
    expect(code).toBe(0)
    const [first, ...rest] = linesOf(stdout)
    expect(first).toMatch(/^n\d compares its documents of scratch with those of the other nodes$/u)
    expect(rest.filter((line) => /^n\d +compared +\d+ +\d+$/u.test(line))).toHaveLength(2)
    expect(rest.at(-1)).toMatch(/^\d+ differences found, \d+ documents repaired$/u)
    const report = JSON.parse((await ew("sync", "--json", "--timeout", "5s")).stdout)
    expect(report.nodes).toMatchObject([{ outcome: "compared" }, { outcome: "compared" }])
    const unknown = await ew("sync", "nothing")
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("nothing")])
  })

  it("hints says what a node keeps for others", async () => {
    const { code, stdout } = await ew("hints")
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^n\d keeps nothing for other nodes$/m)
    ])
    const report = JSON.parse((await ew("hints", "--json")).stdout)
    expect(report).toMatchObject({ node: expect.stringMatching(/^n\d$/u), bytes: 0, nodes: [] })
    expect(report.bytesMax).toBeGreaterThan(0)
  })

  it("cluster status shows each node as it tells of itself", async () => {
    const { code, stdout } = await ew("cluster", "status")
    expect(code).toBe(0)
    const [first, ...rest] = linesOf(stdout)
    expect(first).toMatch(/^cluster dev, asked by n\d: 3 of 3 answer$/u)
    const row = /^n\d +complete +\S.* +(?:-|\d+ ms) +nothing +\S.* [0-9a-z]{15}$/u
    expect(rest.filter((line) => row.test(line))).toHaveLength(3)
  })

  it("explain says of a deleted document that it is deleted", async () => {
    const key = ew === byHttp ? "gone by HTTP" : "gone by NATS"
    await ew("put", "scratch", key, "1", "--w", "all")
    await ew("del", "scratch", key, "--w", "all")
    const { stdout } = await ew("explain", "scratch", key)
    expect(stdout.match(/^n\d +deleted +\d+ /gmu)).toHaveLength(3)
    expect(stdout).toContain("a reader of all gets nothing: the document is deleted\n")
    const absent = await ew("explain", "scratch", "never there")
    expect(absent.stdout.match(/^n\d +absent +0$/gmu)).toHaveLength(3)
    expect(absent.stdout).toMatch(/a reader of all gets nothing\n$/u)
  })

  it("a timeout is taken with its unit", async () => {
    expect((await ew("get", "scratch", "a0", "--timeout", "5s")).stdout).toBe("\"A0\"\n")
  })
})

it.each([
  [["ls", "--count"], "a bucket is missing: --after, --count,"],
  [["ls", "scratch", "--count", "--values"], "--count prints no values"],
  [["ls", "scratch", "--limit", "0"], "Expected: 1 or more"]
])("%j is wrong use", async (args, problem) => {
  const { code, stderr } = await byHttp(...args)
  expect(code).toBe(1)
  expect(stderr).toContain(problem)
})
