/**
 * Lends Effect's command line the process that it runs in. Commands here take no files, ask nothing
 * and start no programs: for these there is no service behind the name.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"

const notUsed = (service: string) => Effect.die(`no command uses ${service}`)

const stdio = Stdio.make({
  args: Effect.sync(() => process.argv.slice(2)),
  stdinIsTerminal: Effect.sync(() => process.stdin.isTTY),
  stdoutIsTerminal: Effect.sync(() => process.stdout.isTTY),
  stderrIsTerminal: Effect.sync(() => process.stderr.isTTY),
  stdin: Stream.die("no command reads through this service"),
  stdout: () => Sink.drain,
  stderr: () => Sink.drain
})

const usualColumns = 80
const usualRows = 24

const terminal = Terminal.make({
  columns: Effect.sync(() => process.stdout.columns ?? usualColumns),
  rows: Effect.sync(() => process.stdout.rows ?? usualRows),
  size: notUsed("the size of the terminal"),
  readInput: notUsed("keys"),
  readLine: notUsed("lines"),
  display: (text) => Effect.sync(() => void process.stdout.write(text))
})

export const layerCliServices = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Layer.succeed(Stdio.Stdio, stdio),
  Layer.succeed(Terminal.Terminal, terminal),
  Layer.succeed(
    ChildProcessSpawner.ChildProcessSpawner,
    ChildProcessSpawner.make(() => notUsed("other programs"))
  )
)
