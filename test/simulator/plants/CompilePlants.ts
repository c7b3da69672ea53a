/**
 * Compiles the source files that planted bugs change. A bug whose text does not compile would end
 * each run that loads it, and tell nothing of the checkers.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { edited, type Plant, urlOf } from "./Plant.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))

/** Writes a bug's files into a folder, laid out as the repository is; returns their paths. */
const writePlanted = (folder: string, { edits }: Plant): ReadonlyArray<string> => {
  const texts = new Map<string, string>()
  for (const edit of edits) {
    const text = texts.get(edit.file) ?? readFileSync(fileURLToPath(urlOf(edit)), "utf8")
    texts.set(edit.file, edited(text, edit))
  }
  return [...texts].map(([file, text]) => {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  })
}

/** What the compiler says of the bugs, with all other files as they are: empty if they compile. */
export const compilePlants = (plants: ReadonlyArray<Plant>): string => {
  mkdirSync(join(root, ".everwrite"), { recursive: true })
  const folder = mkdtempSync(join(root, ".everwrite/plants-"))
  try {
    const folders = plants.map(({ name }) => join(folder, name))
    const files = plants.flatMap((plant, index) => writePlanted(folders[index]!, plant))
    const compilerOptions = {
      // A file's relative imports are looked for in the repository too.
      rootDirs: [root, ...folders],
      noUnusedLocals: false,
      noUnusedParameters: false
    }
    const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: [], files }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
    const tsc = join(root, "node_modules/.bin/tsc")
    const { error, status, stderr, stdout } = spawnSync(tsc, ["-p", folder], {
      cwd: root,
      encoding: "utf8"
    })
    if (error !== undefined) throw error
    return status === 0 ? "" : stdout || stderr || `the compiler ended with ${status}`
  } finally {
    rmSync(folder, { recursive: true })
  }
}
