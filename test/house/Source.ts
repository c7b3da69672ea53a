/**
 * Reads the repository for the house rules: each file that git keeps, or would keep if it were
 * added, and its syntax tree. A rule is a function from files to violations, so that each one can
 * also be shown a bad sample.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type ESTree, parseSync, Visitor, type VisitorObject } from "rolldown/utils"

export interface SourceFile {
  /** Relative to the top of the repository, with `/`. */
  readonly path: string
  readonly text: string
}

/** Returns a line for each violation: `path:line`, and the reason. */
export type Rule = (files: ReadonlyArray<SourceFile>) => ReadonlyArray<string>

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const repository = (): ReadonlyArray<SourceFile> =>
  execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8"
  })
    .split("\0")
    .filter((path) => path !== "" && existsSync(root + path))
    .map((path) => ({ path, text: readFileSync(root + path, "utf8") }))

export const isCode = (file: SourceFile): boolean => /\.(ts|js)$/.test(file.path)

export const at = (file: SourceFile, offset: number): string =>
  `${file.path}:${file.text.slice(0, offset).split("\n").length}`

const parse = (file: SourceFile): ESTree.Program => {
  const { errors, program } = parseSync(file.path, file.text)
  if (errors.length > 0) throw new Error(`${file.path} does not parse: ${errors[0]?.message}`)
  return program
}

/** Visits every node of a file, types included. Comments and text inside quotes are no nodes. */
export const walk = (file: SourceFile, visitor: VisitorObject): void =>
  new Visitor(visitor).visit(parse(file))
