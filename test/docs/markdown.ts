/**
 * Reads from a page of Markdown what its readers would copy: commands, code, and paths.
 */

/** A fenced block. */
interface Block {
  readonly language: string
  readonly text: string
}

export const blocksOf = (page: string): ReadonlyArray<Block> =>
  [...page.matchAll(/^```(\w*)\n(.*?)^```$/gmsu)]
    .map(([, language = "", text = ""]) => ({ language, text }))

/** Code between backticks, in the running text. */
const spansOf = (page: string): ReadonlyArray<string> =>
  [...page.replaceAll(/^```.*?^```$/gmsu, "").matchAll(/`([^`\n]+)`/gu)].map(([, span = ""]) =>
    span
  )

/** Commands of `sh` blocks, each on one line, then those of the running text. */
export const commandsOf = (page: string): ReadonlyArray<string> => [
  ...blocksOf(page)
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/gu, "").trimEnd().split("\n")),
  ...spansOf(page).filter((span) => /^(npm|npx|node|everwrite|curl|apt-get) \S/u.test(span))
]

/** A file of the reader's own, named by the comment on its first line. */
export interface File {
  readonly name: string
  readonly text: string
}

export const filesOf = (page: string): ReadonlyArray<File> =>
  blocksOf(page).filter(({ language }) => language === "ts").map(({ text }) => {
    const [, name] = /^\/\/ (\S+\.ts)\n/u.exec(text) ?? []
    if (name === undefined) throw new Error(`no file's name begins the block\n${text}`)
    return { name, text }
  })

/**
 * Files and folders that the text names: a path from the top of the repository, or a file with a
 * folder before it.
 */
export const pathsOf = (page: string): ReadonlyArray<string> =>
  spansOf(page).filter((span) =>
    /^(src|test|examples|plugins|schemas)\/\S*$/u.test(span)
    || /^[a-z][\w-]*\/[\w/.-]+\.(ts|md|json|txt)$/u.test(span)
  )
