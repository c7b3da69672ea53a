// Checks that requests are measured by bucket, operation and outcome, that a client's text makes no
// labels, and that each number says when it is alarming.
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { NodeMetrics } from "../../src/http/Metrics.ts"
import { processSamples } from "../../src/node/ProcessSamples.ts"
import { RequestMetrics } from "../../src/node/RequestMetrics.ts"
import { samplesOf } from "../../src/node/Status.ts"
import { version } from "../../src/node/Version.ts"
import { buckets, profiles, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
let metrics: NodeMetrics

const start = async (seriesMax: number): Promise<void> => {
  metrics = new NodeMetrics()
  const known = new Set(buckets.map(({ definition }) => definition.name as string))
  const observer = new RequestMetrics({ context: metrics.context, buckets: known, seriesMax })
  stepped = await SteppedCluster.start({ nodes: 3, buckets, observer })
}

beforeEach(() => start(1_000))
afterEach(() => stepped.stop())

/** The counts of requests, by their labels. */
const counts = (): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...metrics.text().matchAll(/^everwrite_request_seconds_count\{(.*)\} (\d+)$/gmu)]
      .map(([, labels = "", count]) => [labels.replaceAll(/\w+="([^"]*)"/gu, "$1"), Number(count)])
  )

it("the time of each request is in a histogram of its bucket, operation and outcome", () => {
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "Ada" }] })
  stepped.write(1, shelves, { key: "k", op: "visits.add", args: [1] })
  stepped.read(1, profiles, { key: "k" })
  stepped.read(1, profiles, { key: "k" })
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: 7 }] })
  expect(counts()).toEqual({
    "profiles,put,client,ok": 1,
    "shelves,visits.add,client,ok": 1,
    "profiles,get,client,ok": 2,
    "profiles,put,client,InvalidValue": 1
  })
  expect(metrics.text()).toMatch(
    /^everwrite_answer_characters_sum\{bucket="profiles",operation="get".*\} 28$/mu
  )
})

it("a text that is no bucket or operation becomes no label", () => {
  stepped.write(1, profiles, { key: "k", op: "secret-operation", args: [] })
  stepped.read(1, { name: "secret-bucket" }, { key: "k" })
  expect(metrics.text()).not.toContain("secret")
  expect(counts()).toEqual({
    "profiles,other,client,UnknownOperation": 1,
    "other,other,client,UnknownBucket": 1
  })
})

it("beyond the most series, operations are counted together", async () => {
  stepped.stop()
  await start(1)
  stepped.read(1, profiles, { key: "k" })
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "Ada" }] })
  stepped.read(1, shelves, { key: "k" })
  expect(counts()).toEqual({
    "profiles,get,client,ok": 1,
    "profiles,other,client,ok": 1,
    "shelves,other,client,ok": 1
  })
})

it("each number says what it counts and when it is alarming, and none has a label of prose", () => {
  const { core } = stepped.nodes[0]!
  const settings = { cluster: core.options.cluster, node: core.options.node, dataDir: "." }
  metrics.add(() => [...samplesOf(core), ...processSamples(settings)])
  stepped.read(1, profiles, { key: "k" })
  const { view } = core
  const placed = vi.spyOn(view, "placement").mockImplementation(() => {
    throw new Error("planted")
  })
  expect(() => stepped.read(1, profiles, { key: "k" })).toThrow("planted")
  placed.mockRestore()
  const text = metrics.text()
  expect(text).toMatch(/^everwrite_failures_total\{where="[^"]+"\} 1$/mu)
  const helps = text.split("\n").filter((line) => line.startsWith("# HELP "))
  expect(helps.length).toBeGreaterThan(80)
  for (const help of helps) {
    expect(help).toMatch(/^# HELP everwrite_\w+ [A-Z1].*\. (Alarming: .*|No alarm by itself)\.$/u)
  }
  for (const [, label] of text.matchAll(/="([^"]*)"/gu)) expect(label).toMatch(/^[\w.+-]+$/u)
  expect(text).toContain(`version="${version}"`)
  expect(text).toMatch(/^everwrite_process_memory_bytes\{kind="resident"\} \d+$/mu)
  expect(text).toMatch(/^everwrite_disk_bytes\{file="package.json"\} \d+$/mu)
})

it("a label that is gone takes its line along", () => {
  const values: Record<string, number> = { a: 1, b: 2 }
  const one = { name: "x", type: "gauge", help: "X.", alarm: "No alarm by itself." } as const
  const own = new NodeMetrics()
  own.add(() => [{ ...one, value: { label: "node", values } }])
  expect(own.text()).toContain("everwrite_x{node=\"b\"} 2")
  delete values["b"]
  expect(own.text()).not.toContain("\"b\"")
  expect(own.text()).toContain("everwrite_x{node=\"a\"} 1")
})
