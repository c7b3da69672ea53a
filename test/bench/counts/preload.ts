/**
 * Is loaded into each counted process, and each of its threads, before the program: starts and
 * stops counting when the benchmark says so. It takes nothing from the measured source, so that any
 * commit is counted the same way.
 */
import { syncBuiltinESMExports } from "node:module"
import threads, { BroadcastChannel, isMainThread, threadId } from "node:worker_threads"
import { CopyMeter } from "./CopyMeter.ts"
import { cpuMeter } from "./CpuMeter.ts"
import { type Answer, type Command, type Figures, phaseVariable, rootVariable } from "./Figures.ts"
import { heapMeter } from "./HeapMeter.ts"

/** A message of the main thread to the workers of its process: to all, or to one. */
type ToWorkers = { readonly counts: "start" | "stop"; readonly to?: number }

type FromWorker =
  | { readonly counts: "here" | "started"; readonly from: number }
  | { readonly counts: "stopped"; readonly from: number; readonly figures: Figures }

const root = process.env[rootVariable] ?? process.cwd()
const phase = process.env[phaseVariable]
const meter = phase === "copies"
  ? new CopyMeter(root)
  : phase === "cpu"
  ? cpuMeter(root)
  : heapMeter(root)
const channel = new BroadcastChannel("counts of the benchmark")
const send: (message: ToWorkers | FromWorker) => void = channel.postMessage.bind(channel)

const hear = (take: (message: ToWorkers | FromWorker) => void): void => {
  channel.addEventListener("message", (event) => {
    if (event instanceof MessageEvent) take(event.data)
  })
  channel.unref()
}

const figures = (thread: string): Figures => ({ thread, ...meter.stop() })

/** Each thread loads this file too, whatever options the program gives it. */
const preloadThreads = (): void => {
  threads.Worker = class extends threads.Worker {
    constructor(file: string | URL, options: threads.WorkerOptions = {}) {
      const execArgv = [...options.execArgv ?? process.execArgv, "--import", import.meta.url]
      super(file, { ...options, execArgv })
    }
  }
  syncBuiltinESMExports()
}

/** The workers that have said that they are here, and what waits for their answers. */
const workers = new Set<number>()
let take: ((answer: FromWorker) => void) | undefined
let isCounting = false

const askWorkers = (command: ToWorkers): Promise<ReadonlyArray<FromWorker>> =>
  new Promise((resolve) => {
    isCounting = command.counts === "start"
    const expected = isCounting ? "started" : "stopped"
    const answers: Array<FromWorker> = []
    const settle = (): void => {
      if (answers.length === workers.size) resolve(answers)
    }
    take = (answer) => {
      if (answer.counts === expected) answers.push(answer)
      settle()
    }
    send(command)
    settle()
  })

const figuresOf = (answer: FromWorker): ReadonlyArray<Figures> =>
  answer.counts === "stopped" ? [answer.figures] : []

const tell = (answer: Answer): unknown => process.send?.(answer)

const obey = async (command: Command): Promise<void> => {
  if (!("counts" in command)) return
  if (command.counts === "start") {
    await askWorkers(command)
    meter.start()
    tell({ counts: "started" })
    return
  }
  const main = figures("main")
  const others = await askWorkers(command)
  tell({ counts: "stopped", threads: [main, ...others.flatMap(figuresOf)] })
}

if (isMainThread) {
  preloadThreads()
  hear((message) => {
    if (!("from" in message)) return
    if (message.counts !== "here") return take?.(message)
    workers.add(message.from)
    // A store's second thread starts with its first fold.
    if (isCounting) send({ counts: "start", to: message.from })
  })
  process.on("message", (command: Command) => void obey(command))
  // The program ends when it has nothing to do, as without this file, and with the benchmark.
  process.channel?.unref()
  process.once("disconnect", () => process.exit())
} else {
  const from = threadId
  hear((message) => {
    if ("from" in message || (message.to ?? from) !== from) return
    if (message.counts === "start") {
      meter.start()
      send({ from, counts: "started" })
    } else {
      send({ from, counts: "stopped", figures: figures("worker") })
    }
  })
  send({ from, counts: "here" })
}
