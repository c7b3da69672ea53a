/**
 * Compares programs: in each round every one of them gets every load for some seconds, in an order
 * that turns from round to round, so that a slow quarter of an hour of the machine is slow for all.
 * All stay up all the time; none has anything to do while it is not its turn.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Loader } from "./Loader.ts"
import { type Load, loads } from "./Loads.ts"
import type { Measured } from "./Measuring.ts"
import type { Bytes, Program, Started } from "./Program.ts"
import { programs } from "./Programs.ts"

export interface CompareOptions {
  readonly programs: ReadonlyArray<string>
  readonly loads: ReadonlyArray<string>
  /** Else those of each load. */
  readonly inFlights?: ReadonlyArray<number>
  readonly rounds: number
  readonly seconds: number
  /** How long a load with a fixed rate lasts. */
  readonly rateSeconds: number
}

/** A program under a load, in one round. */
export interface Cell {
  readonly program: string
  readonly load: string
  readonly inFlight: number
  readonly round: number
  readonly measured: Measured
  /** For each operation, where the program counts them. */
  readonly bytes?: Bytes
}

export interface Comparison {
  readonly cells: ReadonlyArray<Cell>
  /** Why something was not measured. */
  readonly skipped: ReadonlyArray<string>
}

interface Subject {
  readonly name: string
  readonly started: Started
  readonly loader: Loader
}

/** What is left to do of the last load is no part of the next one. */
const pauseMillis = 300
/** V8 compiles a program's code for as long as ten seconds of work, and takes its CPU for that. */
const warmUpSecondsMax = 12
const warmUps = { loads: ["put", "get"], inFlight: 256 }

const tell = (text: string): void => void process.stderr.write(`${text}\n`)
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const difference = (after: Bytes, before: Bytes, count: number): Bytes => ({
  wire: (after.wire - before.wire) / count,
  disk: (after.disk - before.disk) / count
})

/** Kills a node in the first third and starts it in the second. */
const outage = async ({ started }: Subject, seconds: number): Promise<void> => {
  await pause((seconds * 1000) / 6)
  await started.kill(1)
  tell("  a node was killed")
  await pause((seconds * 1000) / 3)
  await started.restart(1)
  tell("  and is started again")
}

interface Turn {
  readonly load: string
  readonly inFlight: number
  readonly round: number
}

class Run {
  readonly #options: CompareOptions
  readonly #cells: Array<Cell> = []
  readonly #skipped = new Set<string>()

  constructor(options: CompareOptions) {
    this.#options = options
  }

  async compare(): Promise<Comparison> {
    const directory = mkdtempSync(join(tmpdir(), "everwrite-bench-"))
    const subjects = await this.#start(directory)
    try {
      for (const subject of subjects) await this.#warmUp(subject)
      for (let round = 0; round < this.#options.rounds; round++) {
        await this.#round(round, subjects)
      }
    } finally {
      for (const { loader } of subjects) await loader.close()
      for (const started of new Set(subjects.map(({ started }) => started))) await started.stop()
      rmSync(directory, { recursive: true, force: true })
    }
    return { cells: this.#cells, skipped: [...this.#skipped] }
  }

  async #start(directory: string): Promise<ReadonlyArray<Subject>> {
    const running = new Map<Program, Started>()
    const subjects: Array<Subject> = []
    for (const name of this.#options.programs) {
      const compared = programs[name]
      if (compared === undefined) throw new Error(`${name} is no program of the benchmark`)
      const { program } = compared
      if (program.missing !== undefined) {
        this.#skipped.add(`${name} is not installed: ${program.missing}`)
        continue
      }
      tell(`starting ${name}`)
      const started = running.get(program) ?? await program.start(join(directory, name))
      running.set(program, started)
      subjects.push({ name, started, loader: await Loader.start(name, started.address) })
    }
    return subjects
  }

  async #warmUp({ loader, name }: Subject): Promise<void> {
    tell(`warming ${name} up`)
    // A run of less than a second tries the programs, and its figures are no figures.
    const seconds = warmUpSecondsMax * Math.min(1, this.#options.seconds)
    for (const load of warmUps.loads) {
      await loader.run({ load, inFlight: warmUps.inFlight, seconds })
    }
  }

  async #round(round: number, subjects: ReadonlyArray<Subject>): Promise<void> {
    const from = round % subjects.length
    const turned = [...subjects.slice(from), ...subjects.slice(0, from)]
    for (const name of this.#options.loads) {
      const load = loads[name]
      if (load === undefined) throw new Error(`${name} is no load of the benchmark`)
      // A minute of an outage, or of 500 a second, has enough in it.
      if (load.rate !== undefined && round > 0) continue
      for (const inFlight of this.#inFlightsOf(load)) {
        for (const subject of turned) await this.#turn(subject, { load: name, inFlight, round })
      }
    }
  }

  #inFlightsOf(load: Load): ReadonlyArray<number> {
    const wanted = this.#options.inFlights
    if (wanted === undefined || load.rate !== undefined) return load.inFlights
    return load.inFlights.filter((inFlight) => wanted.includes(inFlight))
  }

  async #turn(subject: Subject, { inFlight, load: name, round }: Turn): Promise<void> {
    const load = loads[name]!
    const { loader, name: program, started } = subject
    const { rateSeconds, rounds } = this.#options
    if (load.isOutage && program === "pipeline") {
      this.#skipped.add("pipeline has nothing that would go on without one of its nodes")
      return
    }
    const seconds = load.rate === undefined ? this.#options.seconds : rateSeconds
    // What it needs is filled in beforehand, so that nobody counts its bytes.
    await loader.run({ load: name, inFlight: 1, seconds: 0 })
    await pause(pauseMillis)
    const before = await started.bytes?.()
    const running = loader.run({ load: name, inFlight, seconds })
    if (load.isOutage) await outage(subject, seconds)
    const outcome = await running
    if ("unsupported" in outcome) {
      this.#skipped.add(`${program} has no operation for: ${load.title}`)
      return
    }
    const at = `round ${round + 1} of ${rounds}, ${load.title}, ${inFlight} in flight, ${program}`
    if ("failed" in outcome) {
      tell(`${at}: ${outcome.failed}`)
      this.#skipped.add(`${program} failed at ${load.title}: ${outcome.failed}`)
      return
    }
    const { measured } = outcome
    const after = await started.bytes?.()
    // A node that was killed counts from the beginning again.
    const isCounted = before !== undefined && after !== undefined && load.isOutage !== true
    const bytes = isCounted ? { bytes: difference(after, before, measured.count) } : {}
    const { errors, failures, millis, perSecond } = measured
    const failed = failures === 0 ? "" : `, failed: ${JSON.stringify(errors)}`
    tell(`${at}: ${perSecond.toFixed(0)}/s, p50 ${millis.p50.toFixed(2)} ms${failed}`)
    this.#cells.push({ program, load: name, inFlight, round, measured, ...bytes })
  }
}

export const compare = (options: CompareOptions): Promise<Comparison> => new Run(options).compare()
