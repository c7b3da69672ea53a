/**
 * Stands where the surroundings call into a node: messages, timers, ends of turns, commits. A task
 * that throws there ends alone; it is counted and reported with its place, and never reaches the
 * event loop, where it would end the process.
 */
import type { Runtime } from "../core/Runtime.ts"
import type { OnCommit, StorageService } from "../storage/Storage.ts"
import type { TransportService } from "../transport/Transport.ts"

/** Told of each exception, and of its place in words: `the commit of a write`. */
export type OnFailure = (failure: unknown, where: string) => void

/** The kinds of tasks that may end with an exception, as metrics name them. */
export type FailureKind =
  | "commit"
  | "connection"
  | "flush"
  | "message"
  | "peer_message"
  | "request"
  | "timer"
  | "turn"

export interface Surroundings {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly storage: StorageService
}

export class Guard {
  readonly #onFailure: OnFailure
  readonly #counts = new Map<FailureKind, number>()

  /** `onFailure` may throw where a failure is to end the process. */
  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure
  }

  /** Exceptions since the start, by kind. */
  get counts(): ReadonlyMap<FailureKind, number> {
    return this.#counts
  }

  get count(): number {
    let sum = 0
    for (const count of this.#counts.values()) sum += count
    return sum
  }

  /** Takes note of an exception that was caught elsewhere. */
  readonly failed = (failure: unknown, where: string, kind: FailureKind): void => {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    this.#onFailure(failure, where)
  }

  readonly #run =
    <A>(kind: FailureKind, where: string, task: (input: A) => void) => (input: A): void => {
      try {
        task(input)
      } catch (failure) {
        this.failed(failure, where, kind)
      }
    }

  /** The same surroundings, into which no exception passes. */
  around({ runtime, storage, transport }: Surroundings): Surroundings {
    return {
      runtime: this.#runtime(runtime),
      transport: this.#transport(transport),
      storage: this.#storage(storage)
    }
  }

  #runtime({ after, elapsed, endOfTurn, id, idle, mark, now, random }: Runtime): Runtime {
    const run = this.#run
    return {
      now,
      elapsed,
      idle,
      random,
      id,
      mark,
      after: (millis, task) => after(millis, () => run("timer", "a timer", task)(undefined)),
      endOfTurn: (task) => endOfTurn(() => run("turn", "the end of a turn", task)(undefined))
    }
  }

  #transport(transport: TransportService): TransportService {
    const run = this.#run
    return {
      ...transport,
      subscribe: (pattern, handler, options) =>
        transport.subscribe(pattern, run("message", `a message to ${pattern}`, handler), options),
      flush: (done) => transport.flush(run("flush", "a flush", done)),
      onStatus: (listener) =>
        transport.onStatus(run("connection", "a change of the connection", listener))
    }
  }

  #storage(storage: StorageService): StorageService {
    const committed = (done: OnCommit): OnCommit =>
      this.#run("commit", "the commit of a write", done)
    return {
      ...storage,
      write: (batch, done) => storage.write(batch, committed(done)),
      barrier: (done) => storage.barrier(committed(done))
    }
  }
}
