// Checks that each thread of a process is counted, whenever it began.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { ask, hasRun, isStarted, isStopped } from "./Asking.ts"
import { phaseVariable } from "./Figures.ts"

const preload = new URL("./preload.ts", import.meta.url).href
const thread = `import { parentPort } from "node:worker_threads"
parentPort.on("message", () => {})
parentPort.postMessage("begun")`

/**
 * Starts a thread when it is told to run, and says so once that one has begun. It has something to
 * do all the time: the file that is loaded before it does not keep a process alive.
 */
const program = `import { Worker } from "node:worker_threads"
process.on("message", ({ run }) => {
  if (run === undefined) return
  const thread = new Worker(new URL("thread.mjs", import.meta.url))
  thread.on("message", () => process.send({ ran: 1, failures: 0 }))
})
setInterval(() => {}, 1_000)`

const folder = mkdtempSync(join(tmpdir(), "everwrite-counts-"))
const file = join(folder, "program.mjs")
writeFileSync(file, program)
writeFileSync(join(folder, "thread.mjs"), thread)
afterAll(() => rmSync(folder, { recursive: true }))

let child: ChildProcess | undefined

afterEach(async () => {
  if (child?.connected !== true) return
  const exit = once(child, "exit")
  child.disconnect()
  await exit
})

const start = (phase: string): ChildProcess => {
  const words = ["--disable-warning=ExperimentalWarning", "--import", preload, file]
  child = spawn(process.execPath, words, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, [phaseVariable]: phase }
  })
  return child
}

const begin = { run: "put", first: 0, count: 1 } as const

describe.each(["cpu", "heap"])("counting %s", (phase) => {
  it("takes in a thread that began before it", async () => {
    const counted = start(phase)
    await ask(counted, begin, hasRun)
    await ask(counted, { counts: "start" }, isStarted)
    const { threads } = await ask(counted, { counts: "stop" }, isStopped)
    expect(threads.map(({ thread }) => thread)).toEqual(["main", "worker"])
  })

  it("takes in a thread that begins meanwhile, and does not wait for it for ever", async () => {
    const counted = start(phase)
    await ask(counted, { counts: "start" }, isStarted)
    await ask(counted, begin, hasRun)
    const { threads } = await ask(counted, { counts: "stop" }, isStopped)
    expect(threads.map(({ thread }) => thread)).toEqual(["main", "worker"])
  })
})
