/**
 * Kills a process in the middle of its writes, again and again, and looks for the writes that it
 * was told are stored. The page cache survives this, a power cut would not: `crashSyncs.test.ts` is
 * about that.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import type { StorageService } from "../../src/storage/Storage.ts"
import { openWorker } from "../../src/storage/WorkerStorage.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { crashIdentity, crashKey, documentCount, elementPaths } from "./crashDocuments.ts"
import { textOf } from "./documents.ts"

const rounds = 20
const versionsPerRound = 1_000_000
const logBytes = [64_000, 0, 200_000, 64_000, 8_000_000]
const writer = fileURLToPath(new URL("./crashWriter.ts", import.meta.url))

const open = (directory: string) =>
  Effect.runPromise(openWorker({ directory, identity: crashIdentity, runtime: liveRuntime }))

/** Runs the writer, kills it `millis` after its first acknowledgement; returns its output. */
const writeAndKill = async (
  options: { readonly directory: string; readonly round: number; readonly millis: number }
): Promise<ReadonlyArray<string>> => {
  const firstVersion = options.round * versionsPerRound
  const child = spawn(process.execPath, [
    "--conditions=everwrite-source",
    writer,
    options.directory,
    String(firstVersion),
    // Most of these fold all the time, so that the process dies within a fold.
    String(logBytes[options.round % logBytes.length])
  ], { stdio: ["ignore", "pipe", "inherit"] })
  const lines: Array<string> = []
  const output = createInterface(child.stdout)
  output.on("line", (line) => lines.push(line))
  await Promise.race([once(output, "line"), once(child, "exit")])
  const refused = await open(options.directory).catch((error: unknown) => error)
  setTimeout(() => child.kill("SIGKILL"), options.millis)
  const [, signal] = await once(child, "close")
  expect(signal).toBe("SIGKILL")
  expect(refused).toMatchObject({
    path: options.directory,
    reason: expect.stringContaining("another process")
  })
  return lines
}

const written = (bytes: Uint8Array): number => Number.parseInt(textOf(bytes), 10)

/** The version of a document, in which header and elements agree. */
const versionOf = (service: StorageService, number: number): number => {
  const read = service.read(crashKey(number))
  if (read._tag === "Absent") return -1
  if (read._tag === "Damaged") throw new Error(`document ${number} is damaged: ${read.detail}`)
  const { header, elements } = read.document
  const version = written(header)
  expect(version % documentCount).toBe(number)
  if (number % 2 === 1) {
    expect([...elements.keys()]).toEqual(elementPaths)
    expect(Math.max(...[...elements.values()].map(written))).toBe(version)
  }
  return version
}

it("a process killed while it writes loses nothing that it acknowledged", async () => {
  const parent = mkdtempSync(join(tmpdir(), "everwrite-crash-"))
  const directory = join(parent, "data")
  const acknowledged = Array.from({ length: documentCount }, () => -1)
  let total = 0
  try {
    for (let round = 0; round < rounds; round++) {
      const millis = Math.floor(Math.random() * 300)
      const lines = await writeAndKill({ directory, round, millis })
      for (const line of lines) {
        const [number = 0, version = 0] = line.split(" ").map(Number)
        acknowledged[number] = version
      }
      total += lines.length
      const storage = await open(directory)
      for (let number = 0; number < documentCount; number++) {
        const found = versionOf(storage.service, number)
        const fixture = `document ${number}, round ${round}, killed after ${millis} ms`
        expect(found, fixture).toBeGreaterThanOrEqual(acknowledged[number]!)
        expect(found, fixture).toBeLessThan((round + 1) * versionsPerRound)
        acknowledged[number] = found
      }
      await Effect.runPromise(storage.close)
    }
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
  expect(total).toBeGreaterThan(rounds * 100)
})
