// Checks that each way into the product has schemas compiled: the compiler must be in place before
// the first schema is made, so each entry point imports it first.
import { dirname, join } from "node:path/posix"
import { describe, expect, it } from "vitest"
import { repository, type SourceFile, walk } from "./Source.ts"

const compiler = "effect/schema/SchemaJITCompiler/enable"
const files = new Map(repository().map((file) => [file.path, file]))

const fileAt = (path: string): SourceFile => {
  const file = files.get(path)
  if (file === undefined) throw new Error(`there is no ${path}`)
  return file
}

/** The imports and exports of a file from elsewhere at run time, in order. */
const importsOf = (file: SourceFile): ReadonlyArray<string> => {
  const found: Array<string> = []
  walk(file, {
    ImportDeclaration: ({ importKind, source, specifiers }) => {
      const named = specifiers.filter((one) =>
        one.type !== "ImportSpecifier" || one.importKind !== "type"
      )
      const isType = importKind === "type" || (specifiers.length > 0 && named.length === 0)
      if (!isType) found.push(source.value)
    },
    ExportNamedDeclaration: ({ exportKind, source }) => {
      if (exportKind !== "type" && source !== null) found.push(source.value)
    },
    ExportAllDeclaration: ({ exportKind, source }) => {
      if (exportKind !== "type") found.push(source.value)
    }
  })
  return found
}

/** All that a file loads, directly or through other files of the repository. */
const loadedBy = (path: string): ReadonlySet<string> => {
  const loaded = new Set<string>()
  const waiting = [path]
  for (const next of waiting) {
    for (const name of importsOf(fileAt(next))) {
      const found = name.startsWith(".") ? join(dirname(next), name) : name
      if (!loaded.has(found) && name.startsWith(".")) waiting.push(found)
      loaded.add(found)
    }
  }
  return loaded
}

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly "everwrite-source": string }>>
  readonly sideEffects: ReadonlyArray<string>
}
const manifest: Manifest = JSON.parse(fileAt("package.json").text)
const thread = "src/storage/worker.ts"
const exported = Object.values(manifest.exports)
  .map((entry) => entry["everwrite-source"].slice(2))
  .filter((path) => path !== thread)

describe("the schema compiler", () => {
  it.each([...exported, "src/cli/main.ts"])("is the first import of %s", (path) => {
    expect(importsOf(fileAt(path))[0]).toBe(compiler)
  })

  it("is kept by a bundler, since each exported file says that it has effects", () => {
    const built = Object.values(manifest.exports).map((entry) => entry["everwrite-source"])
    for (const path of built) expect(manifest.sideEffects).toContain(path)
    for (const path of built) {
      expect(manifest.sideEffects).toContain(path.replace("./", "./dist/").replace(".ts", ".js"))
    }
  })

  it("is not needed by the storage thread, which makes no schema", () => {
    const loaded = [...loadedBy(thread)]
    expect(loaded).toContain("src/storage/Committer.ts")
    expect(loaded.filter((name) => name.startsWith("effect"))).toEqual([])
  })
})
