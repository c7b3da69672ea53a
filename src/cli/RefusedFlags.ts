/**
 * Tells of a command line that the parser refuses. It refuses before the command runs, so the
 * faults of a node's file and environment are looked for here: nobody is to learn of them later.
 */
import type * as CliError from "effect/cli/CliError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hideAddresses } from "../core/model/PublicAddress.ts"
import { visible, visibleLines } from "../core/model/VisibleText.ts"
import { type AnySetting, flagName } from "../node/Setting.ts"
import { settingNames, settings } from "../node/Settings.ts"
import { devConfiguration } from "./DevCommand.ts"
import { isSwitch, startConfiguration } from "./StartCommand.ts"

const flagsPlace = "flags stand behind the command, as in everwrite get scratch hello --url URL"

type Typed = ReadonlyArray<string>

/** The flag that stands before an argument, which was meant as its value. */
const flagBefore = (argument: string, typed: Typed): string | undefined => {
  const place = typed.indexOf(argument)
  const flag = typed[place - 1]
  const isFlag = flag !== undefined && flag.startsWith("-") && !flag.includes("=")
  return isFlag && place === typed.lastIndexOf(argument) ? flag : undefined
}

/** The parser's list of accepted words, as `"a" | "b"`. */
const wordList = /Expected:? ("[^"]*"(?: \| "[^"]*")+)$/u

/** The words of a switch: those that variables and files take too stand for all. */
const switchWords = "no value, or true, on, false or off"

const words = (message: string): string =>
  message.replace(wordList, (_, list: string) => {
    const accepted = list.replaceAll("\"", "").split(" | ")
    return `Expected: ${accepted.includes("off") ? switchWords : accepted.join(", ")}`
  })

const problemOf = (error: CliError.CliError, typed: Typed): string => {
  if (error._tag !== "UnexpectedArgument") return words(error.message)
  const [flag] = error.arguments.flatMap((argument) => flagBefore(argument, typed) ?? [])
  return flag === undefined ? error.message : `${error.message}; ${flag} takes no value`
}

/**
 * The parser's own problems. What follows a flag before the command is read as the command, so that
 * flag is told alone.
 */
export const problemsOf = (
  errors: ReadonlyArray<CliError.CliError>,
  typed: Typed
): ReadonlyArray<string> => {
  const early = errors.find((error) =>
    error._tag === "UnrecognizedOption" && error.command?.length === 1
  )
  const told = early === undefined ? errors : [early]
  return told
    .map((error) => error === early ? `${error.message}; ${flagsPlace}` : problemOf(error, typed))
    .map((message) => visible(hideAddresses(message, typed).replaceAll(/\s+/gu, " ")))
}

/** The flags behind a command by their names; the text of one without a value is empty. */
const flagsIn = (typed: Typed): ReadonlyMap<string, string> => {
  const flags = new Map<string, string>()
  for (const [index, word] of typed.entries()) {
    if (word === "--") break
    const [, name, value] = /^--([a-z][a-z-]*)(?:=(.*))?$/su.exec(word) ?? []
    if (name === undefined) continue
    const next = typed[index + 1] ?? ""
    flags.set(name, value ?? (next.startsWith("-") ? "" : next))
  }
  return flags
}

const namedSettings = settingNames.map((name): readonly [string, AnySetting] => [
  name,
  settings[name]
])

const startFaults = (flags: ReadonlyMap<string, string>) => {
  const texts = namedSettings.flatMap(([name, setting]) => {
    const text = flags.get(flagName(name, setting))
    return text === undefined || setting.secret === true || isSwitch(name)
      ? []
      : [[name, text] as const]
  })
  return startConfiguration({
    texts: Object.fromEntries(texts),
    config: Option.fromUndefinedOr(flags.get("config")),
    json: false
  })
}

/** As the parser reads a port; undefined of another text, which the parser has refused. */
const portOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,5}$/u.test(text) ? Number(text) : undefined

const devFaults = (flags: ReadonlyMap<string, string>) => {
  const data = flags.get("data")
  return devConfiguration({
    config: Option.fromUndefinedOr(flags.get("config")),
    data: data === "" ? undefined : data,
    natsPort: portOf(flags.get("nats-port")),
    port: portOf(flags.get("port"))
  })
}

/** The settings whose flags the parser has told of already. */
const toldSettings = (errors: ReadonlyArray<CliError.CliError>): ReadonlyArray<string> => {
  const told = errors.flatMap((error) => error._tag === "InvalidValue" ? [error.option] : [])
  return namedSettings.flatMap(([name, setting]) =>
    told.includes(flagName(name, setting)) ? [name] : []
  )
}

interface Refused {
  readonly commandPath: ReadonlyArray<string>
  readonly errors: ReadonlyArray<CliError.CliError>
}

/** All that is wrong besides the problems of the parser, a line for each, where nodes start. */
export const otherFaults = Effect.fnUntraced(function*(
  { commandPath, errors }: Refused,
  typed: Typed
) {
  const command = commandPath[1]
  if (command !== "start" && command !== "dev") return []
  const flags = flagsIn(typed.slice(typed.indexOf(command) + 1))
  const configured = command === "start" ? startFaults(flags) : devFaults(flags)
  const { unknownVariables } = yield* Effect.promise(() => import("../node/Configuration.ts"))
  const lines = yield* Effect.match(configured, {
    onFailure: (error): ReadonlyArray<string> => {
      const all = visibleLines(error.message).split("\n")
      const told = toldSettings(errors).map((name) => `${name} is `)
      return all.filter((each) => !told.some((beginning) => each.startsWith(beginning)))
    },
    onSuccess: (): ReadonlyArray<string> => []
  })
  // They are among the faults of a configuration only where it has others.
  const unread = unknownVariables(process.env).filter((each) => !lines.includes(each))
  return [...lines, ...unread]
})
