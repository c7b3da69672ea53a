// Checks that a node outlives the death of its storage thread under a new incarnation, and ends
// where threads keep dying.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import type { LiveNode } from "../../src/node/Node.ts"
import { start } from "../cli/everwrite.ts"
import { until } from "../tooling/until.ts"
import { nodeOnDisk, type OnDisk, readyz } from "./nodeOnDisk.ts"
import { alone, useFolder } from "./temporaryDirectories.ts"

const folder = useFolder()

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })

const settings = () => {
  const { buckets: _, ...given } = alone(folder())
  return { ...given, http: 0 }
}

const running = (task: (given: OnDisk) => Promise<void>) =>
  nodeOnDisk({ settings: settings(), buckets: [texts] }, task)

const documentAt = ({ address }: LiveNode, key: string) =>
  `${address}/v1/buckets/texts/docs?key=${key}`

const put = async (live: LiveNode, key: string, value: string): Promise<number> => {
  const answer = await fetch(documentAt(live, key), {
    method: "PUT",
    body: JSON.stringify(value),
    headers: { "content-type": "application/json" }
  })
  await answer.text()
  return answer.status
}

const get = async (live: LiveNode, key: string) => {
  const answer = await fetch(documentAt(live, key))
  return { status: answer.status, text: await answer.text() }
}

const isReady = async (live: LiveNode) => (await readyz(live)).status === 200

describe("a node whose storage thread dies", () => {
  it("goes on as another incarnation, with what is on disk", () =>
    running(async ({ live, storage }) => {
      expect(await put(live, "k", "before")).toBe(200)
      const { replica } = live.core
      const incarnations = [replica.incarnation()]
      const first = storage.thread
      const waiting = Promise.all(
        Array.from({ length: 20 }, (_, i) => put(live, `waiting${i}`, "x"))
      )
      await until("writes wait", () => storage.service.stats().waiting > 0)
      void first.terminate()
      for (const [i, status] of (await waiting).entries()) {
        // One that failed is not shown, unless its commit was only not told any more.
        if (status === 200) expect((await get(live, `waiting${i}`)).status).toBe(200)
        else expect(status).toBe(503)
      }
      await until("another thread runs", () => storage.thread !== first)
      await until("the node is ready", () => isReady(live))
      incarnations.push(replica.incarnation())
      expect((await get(live, "k")).text).toContain("before")
      await until("writes are taken", async () => await put(live, "k", "after") === 200)
      expect((await get(live, "k")).text).toContain("after")
      const second = storage.thread
      await second.terminate()
      await until("a third thread runs", () => storage.thread !== second)
      incarnations.push(replica.incarnation())
      expect(new Set(incarnations).size).toBe(3)
      expect([...incarnations].sort()).toEqual(incarnations)
      expect((await get(live, "k")).text).toContain("after")
    }))

  it("has another incarnation also where nothing waited for the disk", () =>
    running(async ({ live, storage }) => {
      const { thread } = storage
      const before = live.core.replica.incarnation()
      await thread.terminate()
      await until("another thread runs", () => storage.thread !== thread)
      expect(live.core.replica.incarnation() > before).toBe(true)
      await until("the node is ready", () => isReady(live))
      expect(await put(live, "k", "v")).toBe(200)
    }))

  it("is not ready after the third time within a minute, and ends", () =>
    running(async ({ live, storage }) => {
      const ended = Effect.runPromise(Effect.flip(live.ended))
      for (let times = 0; times < 3; times++) {
        const { thread } = storage
        await thread.terminate()
        if (times < 2) await until("another thread runs", () => storage.thread !== thread)
      }
      const error = await ended
      expect(error).toMatchObject({ _tag: "StorageEnded", node: "n1" })
      expect(error.message).toMatch(/the storage thread stopped, 3 times within 60 s; it must be/u)
      const { status, text } = await readyz(live)
      expect(status).toBe(503)
      expect(text).toContain("3 times within 60 s: start this node again")
    }))

  it("does not go on with files that were replaced meanwhile", () =>
    running(async ({ live, storage }) => {
      const { dataDir } = live.settings
      const before = live.core.replica.incarnation()
      for (const name of ["store.sqlite", "store.sqlite-wal"]) rmSync(join(dataDir, name))
      await storage.thread.terminate()
      await until("the node notices", async () => (await readyz(live)).status === 503)
      expect((await readyz(live)).text).toContain("was removed: replace or rebuild this node")
      expect(live.core.replica.incarnation()).toBe(before)
    }))
})

/** Ends each thread, once the node is ready for the first time. */
const endThreads = `
  import { existsSync } from "node:fs"
  import workers from "node:worker_threads"
  import { syncBuiltinESMExports } from "node:module"
  const { Worker } = workers
  workers.Worker = class extends Worker {
    constructor(...given) {
      super(...given)
      this.once("message", () => {
        const ending = setInterval(() => {
          if (!existsSync("ready")) return
          clearInterval(ending)
          void this.terminate()
        }, 50)
      })
    }
  }
  syncBuiltinESMExports()`

it("everwrite start ends with 70 and a sentence where storage threads keep dying", async () => {
  const data = join(folder(), "data")
  mkdirSync(data)
  writeFileSync(join(folder(), "end.mjs"), endThreads)
  writeFileSync(
    join(folder(), "everwrite.config.json"),
    JSON.stringify({ buckets: [texts.definition] })
  )
  const args = ["start", "--http", "off", "--nats", "embedded", "--data", data]
  const { ended, stderr: told } = start(args, {
    cwd: folder(),
    env: {
      EVERWRITE_CLUSTER_KEY: "a key for the tests",
      NODE_OPTIONS: `--import=${join(folder(), "end.mjs")}`
    }
  })
  // A thread that dies earlier is a fault of the start, which ends otherwise.
  await until("the node is ready", () => /\bready\b/u.test(told()))
  writeFileSync(join(folder(), "ready"), "")
  const { code, stderr } = await ended
  expect(stderr).toContain("another one was started, and node n1 goes on as")
  expect(stderr.trim().split("\n").at(-1)).toMatch(
    /^node n1 cannot write any more: the storage thread stopped, 3 times within 60 s; it must be/u
  )
  expect(code).toBe(70)
}, 60_000)
