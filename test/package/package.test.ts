/**
 * Checks the package as a user of npm gets it: the packed tarball, installed into an empty project,
 * with the compiler and the Node that the user has.
 */
import { execFileSync, type ExecFileSyncOptions, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { until } from "../tooling/until.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const manifest: {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, { readonly default: string }>>
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

interface SourceMap {
  readonly sources: ReadonlyArray<string>
  readonly sourcesContent: ReadonlyArray<string>
}

/** The variables of npm's scripts are not for the npm of another project. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("npm_"))
)
const path = (env["PATH"] ?? "").split(delimiter)

const isOld = (version: string): boolean => {
  const [major = 0, minor = 0] = version.replace("v", "").split(".").map(Number)
  return major < 22 || (major === 22 && minor < 19)
}

const oldNode = path
  .map((folder) => join(folder, "node"))
  .filter((binary) => existsSync(binary))
  .find((binary) => isOld(execFileSync(binary, ["--version"], { encoding: "utf8" })))

/** Declares one bucket rightly and one wrongly: only real types tell them apart. */
const program = `
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"

const profiles = Bucket.lww("profiles", { key: Key.text, value: Schema.String })
console.log(profiles.name)

// @ts-expect-error a register needs to know what its values are
Bucket.lww("profiles", { key: Key.text })
// @ts-expect-error the functions that throw are the node's own
profiles.code
// @ts-expect-error so is the codec of a key
profiles.key.codec
const name: string | undefined = Result.getOrUndefined(profiles.decodeView(["Ada"]))
const key: string | undefined = Result.getOrUndefined(profiles.key.fromJson("ada"))
console.log(name, key)
`

/** The storage finds the file of its thread, which only the built files can show. */
const storing = `
import * as Effect from "effect/Effect"
import { EverwriteNode } from "everwrite/server"

const layer = EverwriteNode.layer({
  buckets: [], nats: "embedded", http: false, logLevel: "none",
  dataDir: "data", clusterKey: "a key for the tests"
})
const exit = await Effect.runPromiseExit(Effect.provide(EverwriteNode, layer))
console.log(exit._tag === "Success" ? "it ran" : String(exit.cause))
process.exit(0)
`

/** A project's own buckets, in TypeScript as they are. */
const config = `
import * as Schema from "effect/Schema"
import { Bucket, Key } from "everwrite"
import { defineConfig } from "everwrite/server"

const tags = Bucket.merge("tags", {
  key: Key.text,
  value: Schema.Array(Schema.String),
  merge: (left: ReadonlyArray<string>, right) => [...new Set([...left, ...right])].sort()
})
export default defineConfig({ buckets: [tags] })
`

describe("the packed package", () => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-package-"))
  const project = join(folder, "project")
  const installed = join(project, "node_modules/everwrite")
  const options: ExecFileSyncOptions & { readonly encoding: "utf8" } = {
    cwd: project,
    encoding: "utf8",
    stdio: "pipe",
    env: { ...env, PATH: [dirname(process.execPath), ...path].join(delimiter) }
  }

  beforeAll(() => {
    execFileSync("npm", ["pack", "--pack-destination", folder], { ...options, cwd: root })
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "no tarball"
    mkdirSync(project)
    writeFileSync(join(project, "package.json"), "{ \"private\": true, \"type\": \"module\" }\n")
    writeFileSync(join(project, "program.ts"), program)
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund"]
    execFileSync("npm", ["install", ...quiet, join(folder, tarball)], options)
  }, 300_000)

  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  // The storage thread's file runs as a thread alone; test/package/Bundled.test.ts does so.
  const loadable = Object.keys(manifest.exports).filter((entry) => entry !== "./worker")

  it("holds the licence, the README and the built modules, and nothing else", () => {
    expect(readdirSync(installed).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"])
    const built = readdirSync(join(installed, "dist"), { recursive: true, withFileTypes: true })
    const files = built.filter((entry) => entry.isFile()).map((entry) => entry.name)
    expect(files.filter((name) => !/\.(js|js\.map|d\.ts)$/.test(name))).toEqual([])
  })

  it("brings Effect and the client of NATS, and nothing that is for other stores", () => {
    const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"))
    const names = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//u, ""))
    expect(names).not.toContain("@effect/platform-node")
    const foreign = /redis|undici|^ws$|^@types\//u
    expect(names.filter((name) => foreign.test(name))).toEqual([])
  })

  it("a stack names the lines of the source, which the maps hold", () => {
    const thrower = `
      import { Key } from "everwrite"
      try { Key.make({ partition: {}, sort: {} }) } catch (error) { console.log(error.stack) }
    `
    const args = ["--enable-source-maps", "--input-type=module", "--eval", thrower]
    const stack = execFileSync(process.execPath, args, options)
    expect(stack).toMatch(/src\/core\/strategy\/Key\.ts:\d+/u)
    const chunks = join(installed, "dist/src/chunks")
    const maps: ReadonlyArray<SourceMap> = readdirSync(chunks)
      .filter((file) => file.endsWith(".js.map"))
      .map((file) => JSON.parse(readFileSync(join(chunks, file), "utf8")))
    const contents = maps.flatMap(({ sources, sourcesContent }) =>
      sources.flatMap((file, at) => file.endsWith("/strategy/Key.ts") ? [sourcesContent[at]] : [])
    )
    expect(contents).toHaveLength(1)
    expect(contents[0]).toContain("export const make")
  })

  it("its files are few, and have schemas compiled from the first import on", () => {
    const dist = join(installed, "dist")
    const built = readdirSync(dist, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".js"))
    expect(built.length).toBeLessThan(50)
    const main = built.find((file) => /chunks\/main-.*\.js$/u.test(file)) ?? "no main"
    const entries = loadable.map((entry) => {
      const { default: file } = manifest.exports[entry]!
      return file.replace("./dist/", "")
    })
    for (const entry of [main, ...entries]) {
      const [first] = readFileSync(join(dist, entry), "utf8").split("\n")
      expect(first, entry).toBe("import \"effect/schema/SchemaJITCompiler/enable\";")
    }
  })

  it.each(loadable)("the entry point %s loads", (entry) => {
    const name = entry.replace(".", "everwrite")
    const script = `console.log(Object.keys(await import("${name}")).length > 0)`
    const args = ["--input-type=module", "--eval", script]
    expect(execFileSync(process.execPath, args, options)).toBe("true\n")
  })

  it("a program that declares a bucket compiles against its types", () => {
    const tsc = join(root, "node_modules/.bin/tsc")
    const flags = "--noEmit --strict --target esnext --module nodenext --skipLibCheck"
    const { status, stdout } = spawnSync(tsc, [...flags.split(" "), "program.ts"], options)
    expect(stdout).toBe("")
    expect(status).toBe(0)
  })

  it.each(["nodenext", "bundler"])("its types are whole by the rules of %s", (resolution) => {
    const tsc = join(root, "node_modules/.bin/tsc")
    const module = resolution === "bundler" ? "esnext" : resolution
    const flags = `--noEmit --strict --target esnext --module ${module} --skipLibCheck false `
      + `--moduleResolution ${resolution} --types node --typeRoots ${root}/node_modules/@types`
    writeFileSync(join(project, "config.ts"), config)
    const files = ["program.ts", "config.ts"]
    const { status, stdout } = spawnSync(tsc, [...flags.split(" "), ...files], options)
    expect(stdout).toBe("")
    expect(status).toBe(0)
  })

  it("its types hold no codec that throws, and none of the product's inner world", () => {
    const dist = join(installed, "dist")
    const types = readdirSync(dist, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".d.ts"))
      .map((file) => readFileSync(join(dist, file), "utf8"))
    expect(types.filter((text) => /\bWorld\b/u.test(text))).toEqual([])
    const entries = ["src/index.d.ts", "src/effect.d.ts", "schemas/index.d.ts"]
    const exported = entries.flatMap((entry) =>
      [...readFileSync(join(dist, entry), "utf8").matchAll(/^export \* as .* from "(\..*)\.ts"/gmu)]
        .map(([, file]) => join(dist, dirname(entry), `${file}.d.ts`))
    )
    expect(exported).toContain(join(dist, "src/core/strategy/Key.d.ts"))
    for (const file of exported) {
      const text = readFileSync(file, "utf8")
      expect(text, file).not.toMatch(/Throws `SchemaMismatch`|\bValueCodec<|\bBucketCode\b/u)
    }
  })

  it("a program that declares a bucket runs", () => {
    const correct = program.slice(0, program.indexOf("// @ts-expect-error"))
    writeFileSync(join(project, "correct.ts"), correct)
    expect(execFileSync(process.execPath, ["correct.ts"], options)).toBe("profiles\n")
  })

  it("a node runs in a program of the user's", () => {
    writeFileSync(join(project, "storing.mjs"), storing)
    expect(execFileSync(process.execPath, ["storing.mjs"], options)).toBe("it ran\n")
  })

  const command = join(project, "node_modules/.bin/everwrite")

  it("the command says its version", () => {
    expect(execFileSync(command, ["--version"], options)).toContain(manifest.version)
  })

  it("the command runs a cluster with the buckets of the project, and asks it", async () => {
    writeFileSync(join(project, "everwrite.config.ts"), config)
    const dev = spawn(command, ["dev", "--port", "0", "--json"], { ...options, stdio: "pipe" })
    let printed = ""
    dev.stdout.setEncoding("utf8").on("data", (text: string) => void (printed += text))
    try {
      const hasStarted = () => printed.includes("\n") || dev.exitCode !== null
      await until("the cluster is ready", hasStarted, { withinMillis: 60_000 })
      const { nodes } = JSON.parse(printed)
      const put = ["put", "tags", "ada", "[\"b\",\"a\"]", "--url", nodes[0].http]
      const get = ["get", "tags", "ada", "--url", nodes[2].http]
      expect(execFileSync(command, put, options)).toBe("[\"b\",\"a\"]\n")
      expect(execFileSync(command, get, options)).toBe("[\"b\",\"a\"]\n")
    } finally {
      if (dev.exitCode === null) {
        dev.kill("SIGTERM")
        await once(dev, "exit")
      }
    }
  })

  it.skipIf(oldNode === undefined)(
    "under a Node older than 22.19 the command says so in one sentence and exits with 1",
    () => {
      const bin = join(installed, "dist/src/cli/bin.js")
      const version = execFileSync(oldNode ?? "", ["--version"], options).trim().slice(1)
      const { status, stderr, stdout } = spawnSync(oldNode ?? "", [bin, "--version"], options)
      expect(stderr).toBe(`Node ${version} found; everwrite needs 22.19 or newer\n`)
      expect(stdout).toBe("")
      expect(status).toBe(1)
      expect(manifest.engines.node).toBe(">=22.19")
    }
  )
})
