/**
 * Writes the help of a command: its purpose, its arguments and flags, the variables that it reads
 * and that have no flag, and examples, in lines that fit a terminal of 80 columns.
 */
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Context from "effect/Context"
import * as Option from "effect/Option"

/** A variable and its meaning. */
export type Variable = readonly [name: string, about: string]

/** The variables of a command that have no flag: secrets above all, which flags would show. */
export const Variables: Context.Reference<ReadonlyArray<Variable>> = Context.Reference(
  "everwrite/cli/Variables",
  { defaultValue: (): ReadonlyArray<Variable> => [] }
)

const columns = 80
const indent = "  "
const nameWidth = 24

/** The words in lines of at most so many characters; a longer word has a line of its own. */
const wrapped = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(/\s+/u)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return line === "" ? lines : [...lines, line]
}

/** A name and its text beside it, or below it where the name is long. */
const entry = (name: string, text: string): ReadonlyArray<string> => {
  const lines = wrapped(text, columns - indent.length - nameWidth)
  const margin = indent + " ".repeat(nameWidth)
  if (name.length > nameWidth - 2) {
    return [indent + name, ...lines.map((line) => margin + line)]
  }
  const [first = "", ...others] = lines
  return [
    (indent + name.padEnd(nameWidth) + first).trimEnd(),
    ...others.map((line) => margin + line)
  ]
}

const section = (
  title: string,
  entries: ReadonlyArray<readonly [name: string, text: string]>
): ReadonlyArray<string> =>
  entries.length === 0
    ? []
    : ["", title, ...entries.flatMap(([name, text]) => entry(name, text))]

const flagEntries = (flags: HelpDoc["flags"]) =>
  flags.map(({ aliases, description, name, type }) => {
    const kind = type === "boolean" ? "" : ` ${type.includes("|") ? "CHOICE" : type.toUpperCase()}`
    const names = [`--${name}`, ...aliases].join(", ")
    return [names + kind, Option.getOrElse(description, () => "")] as const
  })

export const helpText = (doc: HelpDoc): string => {
  const { args = [], examples = [], globalFlags = [], subcommands = [] } = doc
  const variables = Context.get(doc.annotations, Variables)
  return [
    ...wrapped(doc.description, columns),
    "",
    "USAGE",
    ...wrapped(doc.usage, columns - indent.length).map((line) => indent + line),
    ...section(
      "COMMANDS",
      subcommands.flatMap(({ commands }) =>
        commands.map(({ description, name }) => [name, description] as const)
      )
    ),
    ...section(
      "ARGUMENTS",
      args.map(({ description, name, required, variadic }) => {
        const about = Option.getOrElse(description, () => "")
        return [name + (variadic ? "..." : ""), required ? about : `${about} (optional)`] as const
      })
    ),
    ...section("FLAGS", flagEntries(doc.flags)),
    ...section("VARIABLES WITHOUT A FLAG", variables),
    ...examples.length === 0 ? [] : ["", "EXAMPLES"],
    ...examples.flatMap(({ command, description = "" }) => [
      ...description === "" ? [] : wrapped(description, columns - 4).map((line) => `  # ${line}`),
      indent + command
    ]),
    ...section("EVERYWHERE", flagEntries(globalFlags))
  ].join("\n")
}
