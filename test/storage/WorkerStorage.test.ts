/** Holds the storage with a thread of its own to the contract, and kills its thread. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Worker } from "node:worker_threads"
import { afterEach, beforeEach, expect, it } from "vitest"
import { Storage, StorageUnavailable } from "../../src/storage/Storage.ts"
import { layerWorker, openWorker } from "../../src/storage/WorkerStorage.ts"
import { storageContract } from "../contracts/storage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { batchOf, commit, keyOf, put, shown } from "./documents.ts"
import { identity, workerFixture } from "./storageFixtures.ts"

storageContract("on a thread of its own", workerFixture)

let parent = ""
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "everwrite-worker-"))
})
afterEach(() => rmSync(parent, { recursive: true }))

const cart = keyOf("scart")
const optionsFor = (directory: string) => ({ directory, identity, runtime: liveRuntime })
const open = () => Effect.runPromise(openWorker(optionsFor(parent)))

it.each([
  ["is stopped", "the storage thread stopped", (thread: Worker) => void thread.terminate()],
  ["breaks", "expected", (thread: Worker) => {
    thread.postMessage({ _tag: "Commit", id: 1, attempt: 0, packed: Uint8Array.of(255) }, [])
  }]
])("when the thread %s what waits fails, reads go on, and it can be reopened", async (
  _,
  detail,
  kill
) => {
  const { close, service, thread } = await open()
  expect(await commit(service, put(cart, "v1"))).toBeUndefined()
  kill(thread)
  const failure = { kind: "closed", detail: expect.stringContaining(detail) }
  expect(await commit(service, put(cart, "v2"))).toMatchObject(failure)
  expect(await commit(service, put(cart, "v3"))).toMatchObject(failure)
  expect(service.healthy()).toBe(false)
  expect(shown(service.read(cart))).toBe("v1{}")
  await Effect.runPromise(close)
  const again = await open()
  expect(shown(again.service.read(cart))).toBe("v1{}")
  await Effect.runPromise(again.close)
})

it("a thread that dies during the close ends it, and an acknowledged write is kept", async () => {
  const { close, service, thread } = await open()
  const waiting = commit(service, put(cart, "v1"))
  const closing = Effect.runPromise(close)
  void thread.terminate()
  await closing
  const failure = await waiting
  const again = await open()
  // The thread may have died after the commit and before it said so: then the write failed here.
  const kept = failure === undefined ? ["v1{}"] : ["v1{}", "Absent"]
  expect(kept).toContain(shown(again.service.read(cart)))
  await Effect.runPromise(again.close)
})

it("the layer opens a storage, and commits and closes it with its scope", async () => {
  const layer = layerWorker(optionsFor(parent))
  const write = Effect.gen(function*() {
    const storage = yield* Storage
    storage.write(batchOf(put(cart, "v1")), () => {})
    const second = yield* Effect.flip(Effect.provide(Storage, layer, { local: true }))
    expect(second).toBeInstanceOf(StorageUnavailable)
  })
  await Effect.runPromise(Effect.provide(write, layer))
  const read = Effect.map(Storage, (storage) => shown(storage.read(cart)))
  expect(await Effect.runPromise(Effect.provide(read, layer))).toBe("v1{}")
})

it("built to JavaScript, it finds the file of its thread", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url))
  const files = ["src/storage", "src/core"]
    .flatMap((room) =>
      readdirSync(join(root, room), { recursive: true }).map((file) => `${room}/${String(file)}`)
    )
    .filter((file) => file.endsWith(".ts"))
  for (const file of files) {
    const target = join(parent, file.replace(/\.ts$/, ".js"))
    mkdirSync(dirname(target), { recursive: true })
    const code = stripTypeScriptTypes(readFileSync(join(root, file), "utf8"))
    writeFileSync(target, code.replaceAll(/(from "\.[^"]*)\.ts"/g, "$1.js\""))
  }
  symlinkSync(join(root, "node_modules"), join(parent, "node_modules"))
  writeFileSync(join(parent, "package.json"), `{ "type": "module" }`)
  const options = JSON.stringify({ directory: join(parent, "data"), identity })
  const main = `
    import * as Effect from "effect/Effect"
    import { openWorker } from "./src/storage/WorkerStorage.js"
    const runtime = { endOfTurn: (task) => void setImmediate(task), id: () => "store" }
    const storage = await Effect.runPromise(openWorker({ ...${options}, runtime }))
    const row = { family: "metadata", key: ["name"], bytes: Buffer.from("value") }
    storage.service.write({ documents: [], rows: [row] }, (failure) => console.log(failure))
    await Effect.runPromise(storage.close)`
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", main], {
    cwd: parent,
    encoding: "utf8"
  })
  expect(run).toMatchObject({ status: 0, stdout: "undefined\n", stderr: "" })
})
