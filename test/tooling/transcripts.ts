/**
 * Holds decisions to transcripts: files that tell a story command by command, each followed by the
 * output that it gives, so that a reader sees how the product decides without reading code.
 *
 * A block is a command, a line `----`, the output, and an empty line; comments (`# ...`) stand
 * between blocks. To write one, write commands and comments alone and let the first run fill in
 * the outputs, then read them: `EVERWRITE_REWRITE=1 npm test -- test/core/quorum`. After a change
 * of the code the same command rewrites all outputs, and `git diff` shows what the change does.
 *
 * @see cockroachdb/datadriven, and its use in etcd-io/raft:quorum/testdata
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

/** One line of a transcript, such as `write n=3 nodes=n1,n2,n3` or `refused n2 "disk full"`. */
export interface Command {
  readonly name: string
  /** The arguments that are no options, without their quotes. */
  readonly words: ReadonlyArray<string>
  /** The arguments `key=value`; a value may be quoted. */
  readonly options: ReadonlyMap<string, string>
}

/** Carries out one command, and returns the lines to print. They may be none, but none is empty. */
export type Interpreter = (command: Command) => string

/**
 * Declares one test for each `.txt` file of `folder`. Each file begins anew with the function that
 * `begin` returns, which may keep state from one command of the file to the next.
 *
 * **Fails with** the difference, where the output is another than the file says.
 */
export const transcripts = (folder: URL, begin: () => Interpreter): void => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".txt")).sort()
  if (files.length === 0) throw new Error(`${folder.pathname} has no transcripts`)
  describe("each decision is as its transcript says", () => {
    it.each(files)("%s", (name) => {
      const path = new URL(name, folder)
      const text = readFileSync(path, "utf8")
      const actual = replay(text, begin(), name)
      if (process.env["EVERWRITE_REWRITE"] === "1") writeFileSync(path, actual)
      else expect(actual).toBe(text)
    })
  })
}

/** The transcript `text` with the outputs that `run` gives; `name` is for errors. */
export const replay = (text: string, run: Interpreter, name = "transcript"): string => {
  const lines = text.trimEnd().split("\n")
  const written: Array<string> = []
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    written.push(line)
    if (line === "" || line.startsWith("#")) continue
    written.push(separator, ...output(line, run, `${name}:${index + 1}`), "")
    if (lines[index + 1] === separator) index = lines.indexOf("", index)
    else if (lines[index + 1] === "") index++
    if (index === -1) break
  }
  return `${written.join("\n").trimEnd()}\n`
}

const separator = "----"

const output = (line: string, run: Interpreter, place: string): ReadonlyArray<string> => {
  let text: string
  try {
    text = run(parse(line)).trimEnd()
  } catch (cause) {
    throw new Error(`${place}: '${line}' failed: ${String(cause)}`, { cause })
  }
  const lines = text === "" ? [] : text.split("\n").map((each) => each.trimEnd())
  if (lines.includes("")) throw new Error(`${place}: '${line}' gives an empty line, a block's end`)
  return lines
}

const argument = /(?:([a-zA-Z]+)=)?(?:"([^"]*)"|(\S+))/g

const parse = (line: string): Command => {
  const [name = "", rest = ""] = line.split(/\s+(.*)/)
  const words: Array<string> = []
  const options = new Map<string, string>()
  for (const [, key, quoted, plain] of rest.matchAll(argument)) {
    const value = quoted ?? plain ?? ""
    if (key === undefined) words.push(value)
    else options.set(key, value)
  }
  return { name, words, options }
}
