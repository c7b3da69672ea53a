/**
 * Runs a cluster on virtual time: one heap of timers, one list of ready tasks for each owner, and a
 * seeded choice of whose task is next. Nothing waits for the machine's clock, so a run is as fast
 * as its code, and the same seed gives the same run.
 *
 * An owner is one incarnation of one node, or the outside (network, disks, clients). Its tasks run
 * in order, as they do on an event loop; those of different owners interleave by chance.
 */
import { invariant } from "../../core/Invariant.ts"
import type { Cancel } from "../../core/Runtime.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** Whose task it is. Tasks of a dead owner never run; those of a paused one wait. */
export interface Owner {
  readonly name: string
  alive: boolean
  paused: boolean
  /** How long it was paused before: it had things to do meanwhile. */
  pausedMillis?: number
  /** An interruption amid its work: it takes the place of the task after `left` more. */
  fuse?: { left: number; readonly task: () => void } | undefined
}

export const outside = (): Owner => ({ name: "outside", alive: true, paused: false })

interface Timer {
  readonly at: number
  readonly order: number
  readonly owner: Owner
  task: (() => void) | undefined
}

const isEarlier = (left: Timer, right: Timer): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order)

export class Kernel {
  /** Virtual milliseconds since the start of the run. */
  now = 0
  steps = 0
  readonly #random: SeededRandom
  readonly #timers: Array<Timer> = []
  readonly #ready = new Map<Owner, Array<() => void>>()
  #orders = 0
  #trace = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** A hash of all choices so far: two runs that differ anywhere differ here. */
  get trace(): number {
    return this.#trace >>> 0
  }

  /** Mixes an event into the trace. */
  note(value: number): void {
    this.#trace = Math.imul(this.#trace ^ value | 0, 0x9e37_79b1) ^ this.#trace >>> 15
  }

  noteBytes(bytes: Uint8Array): void {
    let hash = bytes.length
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193)
    this.note(hash)
  }

  /** Runs `task` at a virtual time, when its owner is alive and not paused. */
  at(owner: Owner, time: number, task: () => void): Cancel {
    const timer: Timer = { at: Math.max(time, this.now), order: this.#orders++, owner, task }
    this.#push(timer)
    return () => {
      timer.task = undefined
    }
  }

  /** Runs `task` in this moment, after the ready tasks of its owner. */
  soon(owner: Owner, task: () => void): void {
    if (!owner.alive) return
    const tasks = this.#ready.get(owner)
    if (tasks === undefined) this.#ready.set(owner, [task])
    else tasks.push(task)
  }

  /**
   * Runs until `time`, or until `done` says so. Time moves only when nothing is ready.
   *
   * **Fails with** an `InvariantViolation` after `stepsMax` steps: a run that makes no progress.
   */
  run(time: number, done: () => boolean = () => false, stepsMax = 2_000_000): void {
    while (!done()) {
      invariant(++this.steps < stepsMax, `a run ends within ${stepsMax} steps`)
      const owner = this.#choose()
      if (owner !== undefined) {
        this.#runOne(owner)
        continue
      }
      const timer = this.#timers[0]
      if (timer === undefined || timer.at > time) break
      this.#pop()
      this.#fire(timer)
    }
    if (!done()) this.now = Math.max(this.now, time)
  }

  #choose(): Owner | undefined {
    const owners: Array<Owner> = []
    for (const owner of this.#ready.keys()) {
      if (!owner.alive) this.#ready.delete(owner)
      else if (!owner.paused) owners.push(owner)
    }
    return owners.length === 0 ? undefined : this.#random.pick(owners)
  }

  #runOne(owner: Owner): void {
    const { fuse } = owner
    if (fuse !== undefined && fuse.left-- === 0) {
      owner.fuse = undefined
      return fuse.task()
    }
    const tasks = this.#ready.get(owner)!
    const task = tasks.shift()!
    if (tasks.length === 0) this.#ready.delete(owner)
    for (let i = 0; i < owner.name.length; i++) this.note(owner.name.charCodeAt(i))
    task()
  }

  #fire(timer: Timer): void {
    this.now = timer.at
    const { owner, task } = timer
    if (task === undefined || !owner.alive) return
    this.note(timer.order)
    // A timer that falls due while its owner is paused waits with the owner's other tasks.
    this.soon(owner, task)
  }

  #push(timer: Timer): void {
    const timers = this.#timers
    let i = timers.push(timer) - 1
    while (i > 0) {
      const parent = i - 1 >> 1
      if (isEarlier(timers[parent]!, timer)) break
      timers[i] = timers[parent]!
      i = parent
    }
    timers[i] = timer
  }

  #pop(): void {
    const timers = this.#timers
    const last = timers.pop()!
    if (timers.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= timers.length) break
      if (child + 1 < timers.length && isEarlier(timers[child + 1]!, timers[child]!)) child++
      if (isEarlier(last, timers[child]!)) break
      timers[i] = timers[child]!
      i = child
    }
    timers[i] = last
  }
}
