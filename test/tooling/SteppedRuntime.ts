/**
 * A runtime whose turns end and whose time passes when a test says so, and whose chance is the same
 * each time: for claims about turns, deadlines and clocks.
 */
import type { Runtime } from "../../src/core/Runtime.ts"

interface Timer {
  readonly at: number
  readonly task: () => void
}

export class SteppedRuntime implements Runtime {
  /** How far the wall clock is off; it may be set in either direction. */
  wallOffsetMillis = 1_763_700_000_000
  #elapsed = 0
  #stalled = 0
  #draws = 0
  #tasks: Array<() => void> = []
  #timers: ReadonlyArray<Timer> = []

  readonly now = (): number => this.#elapsed + this.wallOffsetMillis
  readonly elapsed = (): number => this.#elapsed
  readonly idle = (): number => this.#elapsed - this.#stalled
  readonly endOfTurn = (task: () => void): void => void this.#tasks.push(task)
  readonly random = (): number => (this.#draws++ * 0.37) % 1
  readonly id = (): string => (++this.#draws * 7919).toString(36).padStart(26, "0")
  readonly mark = (): void => undefined

  readonly after = (millis: number, task: () => void): () => void => {
    const timer = { at: this.#elapsed + millis, task }
    this.#timers = [...this.#timers, timer].sort((a, b) => a.at - b.at)
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer))
  }

  /** The same runtime as someone sees it whose clock is off. */
  seenWith(clockOffsetMillis: () => number): Runtime {
    const { after, elapsed, endOfTurn, id, idle, mark, random } = this
    const now = () => this.now() + clockOffsetMillis()
    return { after, elapsed, endOfTurn, id, idle, mark, now, random }
  }

  /**
   * Carries out the tasks that wait for the end of this turn, not those that they add; returns how
   * many.
   */
  endTurn(): number {
    const due = this.#tasks
    this.#tasks = []
    for (const task of due) task()
    return due.length
  }

  /** Ends turns until nothing waits for one. */
  runReady(): void {
    for (let turns = 0; this.endTurn() > 0; turns++) {
      if (turns > 100_000) throw new Error("turns never end")
    }
  }

  /** Lets time pass in which the process does nothing: timers run late, after this. */
  stall(millis: number): void {
    this.#elapsed += millis
    this.#stalled += millis
  }

  /** Lets time pass: timers run when they are due, and each one's turns end. */
  advance(millis: number): void {
    const end = this.#elapsed + millis
    this.runReady()
    for (let next = this.#timers[0]; next !== undefined && next.at <= end; next = this.#timers[0]) {
      this.#timers = this.#timers.slice(1)
      this.#elapsed = Math.max(this.#elapsed, next.at)
      next.task()
      this.runReady()
    }
    this.#elapsed = end
  }
}
