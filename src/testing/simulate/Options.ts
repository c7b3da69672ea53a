/**
 * Describes the options of a simulation, and its report.
 */
import * as Schema from "effect/Schema"
import type { Any } from "../../core/strategy/Bucket.ts"
import type { FaultKind } from "./FaultKinds.ts"
import type { Generated, KeyOf, Operation, ViewOf } from "./Operation.ts"

/**
 * When a client did something, in milliseconds of virtual time, as in the story of a failure: the
 * same clock for all clients, independent of the nodes' clocks.
 */
interface Timed {
  /** When the client began, before it read the value that it changes. */
  readonly beganAt: number
  /**
   * When the client was answered, or gave up: an `unknown` operation may take effect later still.
   */
  readonly endedAt: number
}

/** An operation: its name, its input, and when. */
export type Did<Inputs> = {
  readonly [Name in keyof Inputs]:
    & { readonly operation: Name; readonly input: Inputs[Name] }
    & Timed
}[keyof Inputs]

/**
 * The operations of clients on one document, by the outcomes that they were told, in the order in
 * which they began.
 */
export interface Done<B extends Any, Inputs> {
  readonly key: KeyOf<B>
  /** These were acknowledged: the shown value must contain them. */
  readonly acknowledged: ReadonlyArray<Did<Inputs>>
  /** Of these no client knows: the shown value may contain them. */
  readonly unknown: ReadonlyArray<Did<Inputs>>
}

/** How far a simulation is: a run for each seed. */
export interface SimulationProgress {
  /** The seed of the run that has ended. */
  readonly seed: number
  /** Runs that have ended, of `seeds`. */
  readonly done: number
  readonly seeds: number
}

export interface SimulateOptions<B extends Any, Inputs> {
  /** Nodes of each cluster; 3, or the bucket's `n` if that is more, unless said otherwise. */
  readonly nodes?: number
  /** Operations and reads of each run; 200 unless said otherwise. */
  readonly steps?: number
  /** Kinds of faults; all but `damage` unless said otherwise. */
  readonly faults?: ReadonlyArray<FaultKind>
  /** The first seed; 1 unless said otherwise. */
  readonly seed?: number
  /** How many seeds there are, each of them a run; 20 unless said otherwise. */
  readonly seeds?: number
  /** Told after each run in which every promise held. */
  readonly onProgress?: (progress: SimulationProgress) => void
  /**
   * The clients' operations, by name. They follow from the bucket unless given (see `Generated`).
   */
  readonly operations?: { readonly [Name in keyof Inputs]: Operation<B, Inputs[Name]> }
  /**
   * Expects something of each document, as every node shows it once the cluster is healed and at
   * rest: throws, or returns the fault.
   */
  readonly invariant?: (
    view: ViewOf<B> | undefined,
    done: Done<B, unknown extends Inputs ? Generated<B> : Inputs>
  ) => string | undefined
}

interface Counts {
  readonly [name: string]: number
}

/** The report of runs in which every promise held. */
export interface SimulationReport {
  readonly bucket: string
  /** The first seed, and how many there were. */
  readonly seed: number
  readonly seeds: number
  /** Operations, not reads, that were acknowledged, refused, and of which no client knows. */
  readonly operations: Counts
  /** How often each fault met something. */
  readonly faults: Counts
  /** Over everything that happened: the same for the same seeds and options. */
  readonly hash: string
}

/** A promise was broken: which, and the story that led to it. */
export class SimulationFailed extends Schema.TaggedError<SimulationFailed>()("SimulationFailed", {
  bucket: Schema.String,
  seed: Schema.Int,
  /** Names the promise, for programs. */
  check: Schema.String,
  promise: Schema.String,
  problem: Schema.String,
  /** The least that it takes of the run: operations and faults, a line each. */
  story: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const { bucket, problem, promise, seed, story } = this
    return `bucket ${bucket}, seed ${seed}: ${promise}\n${problem}\nafter\n${story.join("\n")}\n`
      + `replay it with { seed: ${seed}, seeds: 1 } and the same options`
  }
}

/** An option with which nothing can be simulated: its name, its value, the accepted values. */
export class InvalidSimulation
  extends Schema.TaggedError<InvalidSimulation>()("InvalidSimulation", {
    option: Schema.String,
    value: Schema.String,
    expected: Schema.String
  })
{
  override get message(): string {
    return `${this.option} is ${this.value}, expected ${this.expected}`
  }
}
