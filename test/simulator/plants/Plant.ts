/**
 * Plants a bug: changes the text of a source file as it is loaded, in this process only. The files
 * stay as they are, and the shipped code needs no switch for its own faults.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly from: string
  readonly to: string
}

export interface Plant {
  readonly name: string
  /** The bug, in a sentence. */
  readonly bug: string
  readonly edits: ReadonlyArray<Edit>
  /** Whether only real databases show it, which few seeds have. */
  readonly isBelowTheModel?: boolean
}

const root = new URL("../../../", import.meta.url)

export const urlOf = ({ file }: Edit): string => new URL(file, root).href

/** The text after an edit. Throws where what it changes is not there exactly once. */
export const edited = (text: string, { file, from, to }: Edit): string => {
  const parts = text.split(from)
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} times, instead of once:\n${from}`)
  }
  return parts.join(to)
}

/** Every file that is loaded from now on has the bug. */
export const plant = ({ edits }: Plant): void => {
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context)
      const here = edits.filter((edit) => urlOf(edit) === url)
      if (here.length === 0) return loaded
      const text = readFileSync(fileURLToPath(url), "utf8")
      return { ...loaded, source: here.reduce(edited, text) }
    }
  })
}
