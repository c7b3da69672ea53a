/**
 * Describes what an application says of a simulation, and what it is told of it.
 */
import * as Schema from "effect/Schema"
import type { Any } from "../../core/strategy/Bucket.ts"
import type { FaultKind } from "./FaultKinds.ts"
import type { Generated, KeyOf, Operation, ViewOf } from "./Operation.ts"

/**
 * When a client did something, in milliseconds of virtual time, as in the story of a failure: the
 * same clock for all clients, whatever the nodes' clocks say.
 */
interface Timed {
  /** When the client began, before it read what it changes. */
  readonly beganAt: number
  /** When the client was answered, or gave up: what is `unknown` may take effect later still. */
  readonly endedAt: number
}

/** An operation, by its name, what the client brought to it, and when. */
export type Did<Inputs> = {
  readonly [Name in keyof Inputs]:
    & { readonly operation: Name; readonly input: Inputs[Name] }
    & Timed
}[keyof Inputs]

/**
 * What clients did to one document, as far as they learned what came of it, in the order in which
 * they began.
 */
export interface Done<B extends Any, Inputs> {
  readonly key: KeyOf<B>
  /** These were acknowledged: what is shown must tell of them. */
  readonly acknowledged: ReadonlyArray<Did<Inputs>>
  /** Of these no client knows: what is shown may tell of them. */
  readonly unknown: ReadonlyArray<Did<Inputs>>
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
  /** What clients do, by name. Follows from the bucket unless given (see `Generated`). */
  readonly operations?: { readonly [Name in keyof Inputs]: Operation<B, Inputs[Name]> }
  /**
   * Expects something of each document, as every node shows it once the cluster is healed and at
   * rest: throws, or returns what is wrong.
   */
  readonly invariant?: (
    view: ViewOf<B> | undefined,
    done: Done<B, unknown extends Inputs ? Generated<B> : Inputs>
  ) => string | undefined
}

interface Counts {
  readonly [name: string]: number
}

/** What was tried, and found to hold. */
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

/** Something that was promised did not come out: what, and what led to it. */
export class SimulationFailed extends Schema.TaggedError<SimulationFailed>()("SimulationFailed", {
  bucket: Schema.String,
  seed: Schema.Int,
  /** Names the promise, for programs. */
  check: Schema.String,
  promise: Schema.String,
  problem: Schema.String,
  /** What of the run it takes: operations and faults, a line each. */
  story: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const { bucket, problem, promise, seed, story } = this
    return `bucket ${bucket}, seed ${seed}: ${promise}\n${problem}\nafter\n${story.join("\n")}\n`
      + `replay it with { seed: ${seed}, seeds: 1 } and the same options`
  }
}

/** An option with which nothing can be simulated: which, its value, what was expected. */
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
