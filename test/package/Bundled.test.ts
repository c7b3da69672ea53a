// Checks that a program with a node in it runs from a bundle, or says at its start what is missing.
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, it } from "vitest"
import { rolldown } from "rolldown"

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-bundle-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const program = `
import * as Effect from ${JSON.stringify(source("node_modules/effect/dist/Effect.js"))}
import { EverwriteNode } from ${JSON.stringify(source("src/server.ts"))}
const layer = EverwriteNode.layer({
  buckets: [], nats: "embedded", http: false, logLevel: "none",
  dataDir: process.argv[2], clusterKey: "a key for the tests"
})
const exit = await Effect.runPromiseExit(Effect.provide(EverwriteNode, layer))
console.log(exit._tag === "Success" ? "it ran" : String(exit.cause))
process.exit(0)
`

const bundled = async (entries: Readonly<Record<string, string>>) => {
  const main = join(folder, "main.ts")
  writeFileSync(main, program)
  const bundle = await rolldown({
    input: { main, ...entries },
    platform: "node",
    resolve: { conditionNames: ["everwrite-source", "node", "import"] },
    logLevel: "silent"
  })
  await bundle.write({ dir: join(folder, "out"), format: "esm", entryFileNames: "[name].mjs" })
  await bundle.close()
  const { stderr, stdout } = spawnSync(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      join(folder, "out", "main.mjs"),
      join(folder, "data")
    ],
    { encoding: "utf8", timeout: 60_000 }
  )
  return stdout + stderr
}

it("a bundled node runs with its storage thread as a second entry", async () => {
  expect(await bundled({ "everwrite-worker": source("src/storage/worker.ts") })).toContain("it ran")
}, 60_000)

it("a bundled node without it does not start, and says what to do", async () => {
  const said = await bundled({})
  expect(said).toContain("bundled without the file of the storage thread")
  expect(said).toContain("make everwrite/worker a second entry of the bundle")
}, 60_000)
