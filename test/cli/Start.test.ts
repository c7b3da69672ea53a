/** `everwrite start`: one node as operators run it, under load, alone, misconfigured. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Everwrite } from "../../src/client/Everwrite.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { EverwriteNode } from "../../src/node/Node.ts"
import { until } from "../tooling/until.ts"
import { type CommandOptions, run, start, type Started } from "./everwrite.ts"

let folder = ""
let config = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-start-"))
  config = join(folder, "everwrite.config.json")
  writeFileSync(config, JSON.stringify({ buckets: [hasty.definition] }))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Acknowledged from memory: only a graceful stop brings all of it to the disk. */
const hasty = Bucket.lww("hasty", { key: Key.text, value: Schema.Int, durability: "buffered" })

const secret = "a key for the tests"

interface Log {
  readonly message: string
  readonly level: string
  readonly annotations: Readonly<Record<string, string>>
}

interface Running extends Started {
  readonly http: string
  readonly logs: () => ReadonlyArray<Log>
}

const startNode = async (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Promise<Running> => {
  const node = start(["start", "--http", "0", "--nats", "embedded", ...args], { cwd: folder, env })
  const logs = (): ReadonlyArray<Log> =>
    node.stderr().split("\n").slice(0, -1).map((line) => JSON.parse(line))
  const ready = () => logs().find(({ message }) => message === "ready")
  await until("the node is ready", () => ready() !== undefined || node.child.exitCode !== null, {
    withinMillis: 30_000
  })
  const http = ready()?.annotations["http"]
  if (http === undefined) throw new Error(node.stderr())
  return { ...node, http, logs }
}

const documents = (node: Running, key: string) =>
  `${node.http}/v1/buckets/hasty/docs?key=${key}&timeout=500`

/** Writes one key after the other until a write fails; notes those that were acknowledged. */
const writeOn = async (
  node: Running,
  writer: number,
  acknowledged: Array<string>
): Promise<void> => {
  const headers = { "content-type": "application/json" }
  for (let n = 0;; n++) {
    const key = `k${writer}-${n}`
    try {
      const reply = await fetch(documents(node, key), { method: "PUT", headers, body: String(n) })
      if (!reply.ok) return
    } catch {
      return
    }
    acknowledged.push(key)
  }
}

/** The files whose compiled code Node found in its cache and took, as it tells in its own trace. */
const takenFromCache = (trace: string): ReadonlySet<string> =>
  new Set(
    [...trace.matchAll(/V8 code cache for ESM (\S+) was accepted/gu)]
      .map(([, url = ""]) => url.slice(url.indexOf("/src/")))
  )

/** The documents in the node's folder, read by another node on it. */
const held = (dataDir: string, keys: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const values = yield* Everwrite.bucket(hasty)
    return yield* Effect.forEach(keys, (key) => values.get(key), { concurrency: 64 })
  }).pipe(
    Effect.provide(EverwriteNode.layer({
      buckets: [hasty],
      clusterKey: secret,
      nats: "embedded",
      http: false,
      dataDir
    })),
    Effect.runPromise
  )

it.each(["SIGTERM", "SIGINT"] as const)(
  "%s under load ends it with 0 and every acknowledged write on disk",
  async (signal) => {
    const node = await startNode(["--data", "n1"], { EVERWRITE_CLUSTER_KEY: secret })
    const keys: Array<string> = []
    const writers = Array.from({ length: 32 }, (_, writer) => writeOn(node, writer, keys))
    await until("there is load", () => keys.length > 500)
    node.child.kill(signal)
    const { code } = await node.ended
    await Promise.all(writers)
    expect(code).toBe(0)
    expect(node.logs().map(({ message }) => message)).toEqual(["ready", "stopping", "stopped"])
    expect(await held(join(folder, "n1"), keys))
      .toEqual(keys.map((key) => Number(key.split("-")[1])))
  }
)

it("a node whose peers are away takes writes for one replica, and names the others", async () => {
  const node = await startNode(["--members", "n1,n2,n3", "--node", "n1"], {
    EVERWRITE_CLUSTER_KEY: secret
  })
  const put = ["put", "hasty", "k", "1", "--url", node.http, "--timeout", "400"]
  expect(await run([...put, "--w", "one"])).toMatchObject({ code: 0, stdout: "1\n" })
  const refused = await run(put)
  expect(refused).toMatchObject({ code: 3, stdout: "" })
  expect(refused.stderr).toMatch(/^write needed w 2, .*no answer from n[23], n[23]/)
  const told = await run([...put, "--json"])
  expect(JSON.parse(told.stderr)).toMatchObject({
    error: { _tag: "QuorumNotMet", action: "write", unreachable: expect.any(Array) }
  })
  node.child.kill("SIGTERM")
  expect((await node.ended).code).toBe(0)
})

describe("a node is told", () => {
  it("where its settings come from, the flag first", async () => {
    const node = await startNode(["--node", "n7"], {
      EVERWRITE_NODE: "n8",
      EVERWRITE_CLUSTER: "c8",
      EVERWRITE_CLUSTER_KEY: secret
    })
    const [ready] = node.logs()
    expect(ready).toMatchObject({
      level: "INFO",
      annotations: { node: "n7", dataDir: join(".everwrite", "c8", "n7") }
    })
    node.child.kill("SIGTERM")
    await node.ended
  })

  it("in one sentence that its key follows from the cluster's name", async () => {
    const node = await startNode([], {})
    const warnings = node.logs().filter(({ level }) => level === "WARN")
    expect(warnings.map(({ message }) => message))
      .toEqual([
        expect.stringMatching(
          /^EVERWRITE_CLUSTER_KEY is not set: a key for development .* cluster dev; /
        )
      ])
    node.child.kill("SIGTERM")
    await node.ended
  })
})

const refused = async (
  args: ReadonlyArray<string>,
  options: CommandOptions = {}
): Promise<string> => {
  const { code, stderr, stdout } = await run(["start", ...args], { cwd: folder, ...options })
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
  return stderr
}

describe("a node does not start, with exit code 1, where", () => {
  it("a setting does not fit", async () => {
    expect(await refused(["--partition-count", "100"]))
      .toBe(
        "partitionCount is 100 (from --partition-count); expected a power of two from 1 to 65536\n"
      )
  })

  it("its secret is too short, which is not shown", async () => {
    const stderr = await refused([], { env: { EVERWRITE_CLUSTER_KEY: "hunter2" } })
    expect(stderr).toMatch(
      /^clusterKey is a secret that does not fit \(from EVERWRITE_CLUSTER_KEY\)/
    )
    expect(stderr).not.toContain("hunter2")
  })

  it("the config file is not there, or wrong", async () => {
    expect(await refused(["--config", "nix.ts"])).toMatch(/^nix\.ts: Cannot find module/)
    writeFileSync(config, `{ "buckets": [{}] }`)
    expect(await refused([])).toMatch(/^everwrite\.config\.json: buckets\[0\]: /)
  })

  it("there are no buckets", async () => {
    rmSync(config)
    expect(await refused([])).toMatch(/^there are no buckets to serve: /)
  })
})

it("takes from its cache, after kill -9, what either of its threads compiled before", async () => {
  const env = { EVERWRITE_CLUSTER_KEY: secret, NODE_COMPILE_CACHE: join(folder, "compiled") }
  const first = await startNode(["--data", "n1"], env)
  // It takes requests after it has kept what it compiled.
  expect((await fetch(`${first.http}/livez`)).ok).toBe(true)
  first.child.kill("SIGKILL")
  await first.ended
  const second = start(["start", "--http", "0", "--nats", "embedded", "--data", "n1"], {
    cwd: folder,
    env: { ...env, NODE_DEBUG_NATIVE: "COMPILE_CACHE" }
  })
  await until("it is ready", () => second.stderr().includes(`"ready"`), { withinMillis: 30_000 })
  const taken = takenFromCache(second.stderr())
  second.child.kill("SIGKILL")
  await second.ended
  const files = ["/src/cli/main.ts", "/src/node/Node.ts", "/src/storage/worker.ts"]
  expect(files.filter((file) => !taken.has(file))).toEqual([])
})
