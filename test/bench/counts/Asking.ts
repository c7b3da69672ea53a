/**
 * Asks a counted process, over the channel to it, and waits for the answer.
 */
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import type { Answer, Command } from "./Figures.ts"

/** Resolves with the answer; fails when the process ends instead. */
export const ask = async <A extends Answer>(
  child: ChildProcess,
  command: Command | undefined,
  expected: (answer: Answer) => answer is A
): Promise<A> => {
  const ended = new AbortController()
  const exit = () => ended.abort(new Error("a counted process has ended"))
  child.once("exit", exit)
  try {
    const answered = once(child, "message", { signal: ended.signal })
    if (command !== undefined) child.send(command)
    const [answer]: Array<Answer> = await answered
    if (answer !== undefined && expected(answer)) return answer
    throw new Error("a counted process gave another answer than was asked for")
  } finally {
    child.off("exit", exit)
  }
}

export const isReady = (answer: Answer) => "client" in answer
export const hasRun = (answer: Answer) => "ran" in answer
type Stopped = Extract<Answer, { readonly counts: "stopped" }>
export const isStarted = (answer: Answer) => "counts" in answer && answer.counts === "started"
export const isStopped = (answer: Answer): answer is Stopped =>
  "counts" in answer && answer.counts === "stopped"
