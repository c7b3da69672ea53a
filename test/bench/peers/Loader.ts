/**
 * Starts a load generator, a process of its own for each program, and tells it what to do.
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Measured } from "./Measuring.ts"
import { end, owned } from "./Processes.ts"

/** So many seconds of a load; or, with no seconds, no more than what it needs filled in. */
export interface Task {
  readonly load: string
  readonly inFlight: number
  readonly seconds: number
}

export type Outcome =
  | { readonly measured: Measured }
  /** The program has no such operation. */
  | { readonly unsupported: true }
  | { readonly failed: string }

const code = fileURLToPath(new URL("./generate.ts", import.meta.url))

export class Loader {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  static async start(
    program: string,
    address: string,
    execArgv: ReadonlyArray<string> = []
  ): Promise<Loader> {
    const child = owned(
      fork(code, [program, address], { execArgv: [...process.execArgv, ...execArgv] })
    )
    await once(child, "message")
    return new Loader(child)
  }

  async run(task: Task): Promise<Outcome> {
    const ended = new AbortController()
    const end = (): void => ended.abort(new Error("the load generator has ended"))
    this.#child.once("exit", end)
    try {
      const answered = once(this.#child, "message", { signal: ended.signal })
      this.#child.send(task)
      const [outcome]: Array<Outcome> = await answered
      return outcome ?? { failed: "the load generator gave no outcome" }
    } catch (error) {
      return { failed: String(error) }
    } finally {
      this.#child.off("exit", end)
    }
  }

  close(): Promise<void> {
    return end(this.#child)
  }
}
