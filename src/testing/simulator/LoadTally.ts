/**
 * Counts the requests that the nodes of a simulated cluster have taken lately, or have not answered
 * yet, whatever the nodes themselves believe: one that refuses for having too much to do must have
 * had as much.
 */
import type { Kernel } from "./Kernel.ts"

interface Taken {
  readonly at: number
  isOver: boolean
}

/**
 * By then a request is over, though its node died with it. One that is stopped for seconds keeps
 * what it has taken for as long.
 */
const longestMillis = 12_000
/** So long after its end a request may still be part of a queue that a node has measured. */
const memoryMillis = 200

export class LoadTally {
  readonly #kernel: Pick<Kernel, "now">
  #taken: Array<Taken> = []

  constructor(kernel: Pick<Kernel, "now">) {
    this.#kernel = kernel
  }

  /** A node gets a request; to be called when it answers: one that it refused was no load. */
  begin(): (isRefused: boolean) => void {
    const { now } = this.#kernel
    this.#taken = this.#taken.filter(({ at, isOver }) =>
      at >= now - longestMillis && !(isOver && at < now - memoryMillis)
    )
    const taken: Taken = { at: now, isOver: false }
    this.#taken.push(taken)
    return (isRefused) => {
      taken.isOver = true
      if (isRefused) this.#taken = this.#taken.filter((other) => other !== taken)
    }
  }

  /** How many there are. */
  get size(): number {
    const { now } = this.#kernel
    return this.#taken.filter(({ at, isOver }) =>
      at >= now - (isOver ? memoryMillis : longestMillis)
    ).length
  }
}
