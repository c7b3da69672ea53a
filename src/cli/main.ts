/**
 * Runs the command line. The schema compiler comes first: it is in place before any schema is made.
 */
import "effect/schema/SchemaJITCompiler/enable"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { explain } from "./BucketCommands.ts"
import { layerCliServices } from "./CliServices.ts"
import { dev } from "./DevCommand.ts"
import { del, get, operate, put } from "./DocumentCommands.ts"
import { Failure, faultCode, misuseCode } from "./Failure.ts"
import { natsConfigCommand } from "./NatsConfigCommand.ts"
import { hideAddresses } from "../core/model/PublicAddress.ts"
import { visible, visibleLines } from "../core/model/VisibleText.ts"
import { helpText } from "./Help.ts"
import { ls } from "./ListCommand.ts"
import { line, note } from "./Output.ts"
import { start } from "./StartCommand.ts"
import { status, versionCommand } from "./StatusCommand.ts"
import { version } from "../node/Version.ts"

const everwrite = Command.make("everwrite").pipe(
  Command.withDescription("An always-writable document store that merges concurrent writes"),
  Command.withSubcommands([
    dev,
    start,
    get,
    put,
    del,
    operate,
    ls,
    explain,
    status,
    natsConfigCommand,
    versionCommand
  ])
)

const flagsPlace = "flags stand behind the command, as in everwrite get scratch hello --url URL"

/** The flag that stands before an argument, which was meant as its value. */
const flagBefore = (argument: string): string | undefined => {
  const typed = process.argv.slice(2)
  const place = typed.indexOf(argument)
  const flag = typed[place - 1]
  const isFlag = flag !== undefined && flag.startsWith("-") && !flag.includes("=")
  return isFlag && place === typed.lastIndexOf(argument) ? flag : undefined
}

const problemOf = (error: CliError.CliError): string => {
  if (error._tag !== "UnexpectedArgument") return error.message
  const [flag] = error.arguments.flatMap((argument) => flagBefore(argument) ?? [])
  return flag === undefined ? error.message : `${error.message}; ${flag} takes no value`
}

/** What follows a flag before the command is read as the command, so that flag is told alone. */
const problemsOf = (errors: ReadonlyArray<CliError.CliError>): ReadonlyArray<string> => {
  const early = errors.find((error) =>
    error._tag === "UnrecognizedOption" && error.command?.length === 1
  )
  const told = early === undefined ? errors : [early]
  return told.map((error) => error === early ? `${error.message}; ${flagsPlace}` : problemOf(error))
}

/** Misuse is told in two lines, not in a page of help. */
const presenter = CliOutput.layerPresenter({
  present: (event) => {
    if (event._tag === "Version") return Effect.sync(() => console.log(event.version))
    if (event._tag === "Help") return line(helpText(event.helpDoc))
    const problems = problemsOf(event.errors).map((message) =>
      visible(hideAddresses(message, process.argv.slice(2)).replaceAll(/\s+/gu, " "))
    )
    return note(`${problems.join("; ")}\n${event.commandPath.join(" ")} --help shows its usage`)
  }
})

const cliConfig = CliConfig.layer({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions]
})

const report = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  const error = Cause.squash(cause)
  if (error instanceof Failure) return Effect.as(note(error.text), error.code)
  // Told already, by the presenter.
  if (Cause.hasFails(cause)) return Effect.succeed(misuseCode)
  const fault = visibleLines(hideAddresses(Cause.pretty(cause), process.argv.slice(2)))
  return Effect.as(note(`everwrite is at fault: ${fault}`), faultCode)
}

// The reader of the output (`| head`) may have gone away.
process.stdout.on("error", () => process.exit())

const program = Command.runWith(everwrite, { version })(process.argv.slice(2)).pipe(
  Effect.provide(Layer.mergeAll(layerCliServices, presenter, cliConfig)),
  Effect.exit,
  Effect.flatMap((exit) => Exit.isSuccess(exit) ? Effect.succeed(0) : report(exit.cause))
)

Effect.runFork(program).addObserver((exit) => {
  process.exitCode = Exit.isSuccess(exit) ? exit.value : faultCode
})
