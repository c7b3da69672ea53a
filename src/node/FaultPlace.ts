/**
 * Finds the line of a user's own file at which an error arose, so that it can be told without a
 * stack: the deepest call that is neither in Node, nor in a package, nor in this one.
 */
import { relative } from "node:path"
import { fileURLToPath } from "node:url"

const ownFolders = ["../", "../../schemas/"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url))
)

const isOwn = (path: string): boolean =>
  path.includes("/node_modules/") || ownFolders.some((folder) => path.startsWith(folder))

/** A call, as V8 writes one: `at name (file:///folder/file.ts:3:7)`. */
const call = /^ +at (?:.*\()?((?:file:\/\/)?\/[^()]*?):(\d+:\d+)\)?$/u
/** The line above an error of a parser: `/folder/file.ts:3`. */
const parsed = /^((?:file:\/\/)?\/.*):(\d+)$/u

/** `folder/file.ts:3:7`, from the present folder; undefined where no line of a user is known. */
export const placeOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error) || error.stack === undefined) return undefined
  for (const line of error.stack.split("\n")) {
    const [, where, position] = call.exec(line) ?? parsed.exec(line) ?? []
    if (where === undefined) continue
    const path = where.startsWith("file:") ? fileURLToPath(where) : where
    if (!isOwn(path)) return `${relative(process.cwd(), path)}:${position}`
  }
  return undefined
}
