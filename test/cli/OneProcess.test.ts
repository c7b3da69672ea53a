/** Two processes under one node id, and nodes with different keys, as operators run them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { type Broker, startBroker } from "../../src/transport/broker/Broker.ts"
import { until } from "../tooling/until.ts"
import { start, type Started } from "./everwrite.ts"

const secret = "a key for the tests"
const other = "another key for the tests"
const notes = Bucket.lww("notes", { key: Key.text, value: Schema.Int })

let broker: Broker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker.close())

let folder = ""
let started: Array<Started> = []
beforeEach(() => {
  started = []
  folder = mkdtempSync(join(tmpdir(), "everwrite-process-"))
  const config = { buckets: [notes.definition] }
  writeFileSync(join(folder, "everwrite.config.json"), JSON.stringify(config))
})
afterEach(async () => {
  for (const { child } of started) child.kill("SIGKILL")
  await Promise.all(started.map(({ ended }) => ended))
  rmSync(folder, { recursive: true })
})

interface Log {
  readonly message: string
  readonly annotations: Readonly<Record<string, string>>
}

const logsOf = (node: Started): ReadonlyArray<Log> =>
  node.stderr().split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))

const messagesOf = (node: Started) => logsOf(node).map(({ message }) => message)

const startNode = (data: string, args: ReadonlyArray<string> = [], key = secret): Started => {
  const settings = ["--http", "0", "--nats", broker.url, "--log-format", "json", "--data", data]
  const node = start(["start", ...settings, ...args], {
    cwd: folder,
    env: { EVERWRITE_CLUSTER_KEY: key }
  })
  started.push(node)
  return node
}

/** Waits until a node is ready, or has ended; the address of its HTTP. */
const served = async (node: Started): Promise<string | undefined> => {
  const ready = () => logsOf(node).find(({ message }) => message === "ready")
  await until("the node is ready", () => ready() !== undefined || node.child.exitCode !== null, {
    withinMillis: 40_000
  })
  return ready()?.annotations["http"]
}

const readiness = async (http: string | undefined): Promise<string> =>
  (await fetch(`${http}/readyz`)).text()

const metric = async (http: string | undefined, line: string): Promise<boolean> =>
  (await (await fetch(`${http}/metrics`)).text()).includes(`\neverwrite_${line}\n`)

const keyAlarms = (node: Started): ReadonlyArray<string> =>
  messagesOf(node).filter((message) => message.includes("another cluster key")).toSorted()

const says = (id: string): string =>
  `node ${id} has another cluster key; each refuses the other's frames`

const aMinute = { withinMillis: 60_000 }

describe("a second process under a node's id", () => {
  it("does not start while the first one answers, which notices and goes on", async () => {
    const first = startNode("one")
    const http = await served(first)
    const second = startNode("two")
    const { code, stderr } = await second.ended
    expect(code).toBe(70)
    expect(stderr).toMatch(
      /^node n1 runs already \(incarnation \w{15}, store \w+\): stop it, or /mu
    )
    expect(await readiness(http)).toBe("ready\n")
    expect(await metric(http, "other_processes_total 1")).toBe(true)
    await until(
      "the first one warns of it",
      () => messagesOf(first).some((message) => message.startsWith("another process runs under")),
      aMinute
    )
    expect(messagesOf(first).filter((message) => message.startsWith("another"))).toHaveLength(1)
  })

  it("ends with 70 once it meets the first one, which could not answer at the start", async () => {
    const first = startNode("one")
    await served(first)
    first.child.kill("SIGSTOP")
    const second = startNode("two")
    expect(await served(second)).toBeDefined()
    first.child.kill("SIGCONT")
    const { code, stderr } = await second.ended
    expect(code).toBe(70)
    expect(stderr).toMatch(/another process runs as node n1 .*: it goes on, this one has stopped/u)
    expect(first.child.exitCode).toBeNull()
  })

  it("is no hindrance to a start after a crash", async () => {
    const first = startNode("one")
    await served(first)
    first.child.kill("SIGKILL")
    await first.ended
    const second = startNode("one")
    expect(await served(second)).toBeDefined()
  })
})

it("nodes with different keys both say so, once for each, and refuse each other", async () => {
  const members = ["--members", "n1,n2,n3"]
  const nodes = [
    startNode("n1", [...members, "--node", "n1"]),
    startNode("n2", [...members, "--node", "n2"]),
    startNode("n3", [...members, "--node", "n3"], other)
  ]
  const [http1, http2, http3] = await Promise.all(nodes.map(served))
  await until(
    "all have said it",
    () =>
      keyAlarms(nodes[0]!).length > 0 && keyAlarms(nodes[1]!).length > 0
      && keyAlarms(nodes[2]!).length > 1,
    aMinute
  )
  expect(nodes.map(keyAlarms)).toEqual([[says("n3")], [says("n3")], [says("n1"), says("n2")]])
  expect(await readiness(http1)).toBe(`ready\nalarm: ${says("n3")}\n`)
  expect(await readiness(http3)).toBe(`ready\nalarm: ${says("n1")}\nalarm: ${says("n2")}\n`)
  expect(await metric(http2, "peers_with_other_key 1")).toBe(true)
})
