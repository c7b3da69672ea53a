/**
 * Runs the command line. The schema compiler comes first: it is in place before any schema is made.
 */
import "effect/schema/SchemaJITCompiler/enable"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { explain } from "./BucketCommands.ts"
import { clusterCommand } from "./ClusterCommand.ts"
import { layerCliServices } from "./CliServices.ts"
import { dev } from "./DevCommand.ts"
import { del, get, operate, put } from "./DocumentCommands.ts"
import { Failure, faultCode, misuseCode } from "./Failure.ts"
import { natsConfigCommand } from "./NatsConfigCommand.ts"
import { hideAddresses } from "../core/model/PublicAddress.ts"
import { visibleLines } from "../core/model/VisibleText.ts"
import { helpText } from "./Help.ts"
import { hints } from "./HintsCommand.ts"
import { ls } from "./ListCommand.ts"
import { line, note } from "./Output.ts"
import { otherFaults, problemsOf } from "./RefusedFlags.ts"
import { start } from "./StartCommand.ts"
import { status, versionCommand } from "./StatusCommand.ts"
import { sync } from "./SyncCommand.ts"
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
    sync,
    hints,
    clusterCommand,
    natsConfigCommand,
    versionCommand
  ])
)

/** Misuse is told in a few lines, not in a page of help. */
const presenter = CliOutput.layerPresenter({
  present: (event) => {
    if (event._tag === "Version") return Effect.sync(() => console.log(event.version))
    if (event._tag === "Help") return line(helpText(event.helpDoc))
    const typed = process.argv.slice(2)
    const problems = problemsOf(event.errors, typed).join("; ")
    const usage = `${event.commandPath.join(" ")} --help shows its usage`
    return Effect.flatMap(
      otherFaults(event, typed),
      (faults) => note([problems, ...faults, usage].join("\n"))
    )
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
