/**
 * Bundles what the package ships: one file for each way in, and few that these share. Node looks
 * for each file of a program, opens and links it, and a node that starts would load hundreds.
 *
 * Nothing is left out: by the manifest's `sideEffects` the command line would be, as it exports
 * nothing.
 */
import { readFileSync } from "node:fs"
import { defineConfig } from "rolldown"

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly "everwrite-source": string }>>
}
const root = new URL("../../", import.meta.url)
const manifest: Manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"))

const sources = [
  ...Object.values(manifest.exports).map((entry) => entry["everwrite-source"]),
  "./src/cli/bin.js"
]

/** Comes first where a source has it first, though the bundler puts shared files before it. */
const compiler = "import \"effect/schema/SchemaJITCompiler/enable\""

const isCompiling = (path: string | null): boolean =>
  path !== null && readFileSync(path, "utf8").includes(compiler)

export default defineConfig({
  input: Object.fromEntries(
    sources.map((source) => [source.replace(/^\.\/(.*)\.[jt]s$/u, "$1"), source])
  ),
  external: /^[^./]/u,
  platform: "node",
  treeshake: false,
  transform: { target: "node22.19" },
  output: {
    dir: "dist",
    format: "esm",
    entryFileNames: "[name].js",
    // One folder below the sources, as a room is: `FaultPlace` tells own calls by that.
    chunkFileNames: "src/chunks/[name]-[hash].js",
    banner: ({ facadeModuleId }) => (isCompiling(facadeModuleId) ? `${compiler};` : ""),
    sourcemap: true
  }
})
