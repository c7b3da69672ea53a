/**
 * Runs many seeds in several processes, each seed in one of them.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { judged, type JudgedRun } from "./judged.ts"

/** The message to a worker: a seed, or none any more. */
type Order = { readonly seed: number } | "end"

const isOrder = (message: unknown): message is Order =>
  message === "end" || (typeof message === "object" && message !== null && "seed" in message)

const isJudged = (message: unknown): message is JudgedRun =>
  typeof message === "object" && message !== null && "violations" in message

/** Serves one worker process: judges the seeds that it is sent until it is told to end. */
export const serve = (): void => {
  process.on("message", (message: unknown) => {
    if (!isOrder(message)) return
    if (message === "end") process.disconnect()
    else process.send?.(judged(message.seed))
  })
}

export interface BatchOptions {
  readonly from: number
  readonly seeds: number
  readonly processes: number
  /** The program whose every process calls `serve` where its arguments are `worker`. */
  readonly program: string
  readonly onJudged: (result: JudgedRun) => void
}

/** Judges `seeds` seeds from `from`, in any order. */
export const runBatch = async (options: BatchOptions): Promise<void> => {
  const end = options.from + options.seeds
  let next = options.from
  const work = async (): Promise<void> => {
    const worker = fork(options.program, ["worker"])
    const exited = once(worker, "exit")
    const order = () => worker.send(next < end ? { seed: next++ } : "end")
    worker.on("message", (message: unknown) => {
      if (!isJudged(message)) return
      options.onJudged(message)
      order()
    })
    order()
    const [code] = await exited
    if (code !== 0) throw new Error(`a worker ended with ${String(code)}`)
  }
  await Promise.all(Array.from({ length: options.processes }, work))
}
