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

export interface Surroundings {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly storage: StorageService
}

export class Guard {
  readonly #onFailure: OnFailure
  readonly #counts = new Map<string, number>()

  /** `onFailure` may throw where a failure is to end the process. */
  constructor(onFailure: OnFailure) {
    this.#onFailure = onFailure
  }

  /** Exceptions since the start, by place. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  get count(): number {
    let sum = 0
    for (const count of this.#counts.values()) sum += count
    return sum
  }

  /** Takes note of an exception that was caught elsewhere. */
  readonly failed: OnFailure = (failure, where) => {
    this.#counts.set(where, (this.#counts.get(where) ?? 0) + 1)
    this.#onFailure(failure, where)
  }

  readonly #run = <A>(where: string, task: (input: A) => void) => (input: A): void => {
    try {
      task(input)
    } catch (failure) {
      this.failed(failure, where)
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

  #runtime({ after, elapsed, endOfTurn, id, mark, now, random }: Runtime): Runtime {
    const run = this.#run
    return {
      now,
      elapsed,
      random,
      id,
      mark,
      after: (millis, task) => after(millis, () => run("a timer", task)(undefined)),
      endOfTurn: (task) => endOfTurn(() => run("the end of a turn", task)(undefined))
    }
  }

  #transport(transport: TransportService): TransportService {
    const run = this.#run
    return {
      ...transport,
      subscribe: (pattern, handler, options) =>
        transport.subscribe(pattern, run(`a message to ${pattern}`, handler), options),
      flush: (done) => transport.flush(run("a flush", done)),
      onStatus: (listener) => transport.onStatus(run("a change of the connection", listener))
    }
  }

  #storage(storage: StorageService): StorageService {
    const committed = (done: OnCommit): OnCommit => this.#run("the commit of a write", done)
    return {
      ...storage,
      write: (batch, done) => storage.write(batch, committed(done)),
      barrier: (done) => storage.barrier(committed(done))
    }
  }
}
