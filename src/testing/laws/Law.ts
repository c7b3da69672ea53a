/**
 * Checks one law on generated inputs, and reports a failure by its smallest input and a token that
 * repeats it.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Json from "../../core/codec/Json.ts"

export interface CheckOptions {
  /** Inputs for each law; 200 unless said otherwise. */
  readonly runs?: number | undefined
  /** Makes the inputs the same every time; drawn from Effect's `Random` unless given. */
  readonly seed?: string | number | undefined
  /** The token of a `LawViolation`: checks only that law, on only that input. */
  readonly replay?: string | undefined
}

/**
 * The laws that were checked: every law that applies, with the number of inputs it was tried on.
 */
export interface Report {
  readonly bucket: string
  readonly laws: ReadonlyArray<{ readonly law: string; readonly runs: number }>
}

/** A law does not hold: the input, and the wrong result. */
export class LawViolation extends Schema.TaggedError<LawViolation>()("LawViolation", {
  bucket: Schema.String,
  law: Schema.String,
  problem: Schema.String,
  /** The smallest input found that breaks the law: JSON, or the steps of a history. */
  counterexample: Schema.String,
  replay: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket} breaks the law "${this.law}"\n${this.problem}\n`
      + `found on\n${this.counterexample}\nreplay ${JSON.stringify(this.replay)}`
  }
}

/** A law could not be tried: no inputs can be generated, or a token fits no law or input. */
export class LawUndecided extends Schema.TaggedError<LawUndecided>()("LawUndecided", {
  bucket: Schema.String,
  law: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `bucket ${this.bucket}, law "${this.law}": ${this.reason}`
  }
}

/** A property of everything that `inputs` generates. */
export interface LawOptions<A> {
  /** Throws where the schema has no generator. */
  readonly inputs: () => Arbitrary.Arbitrary<A>
  /** How the input breaks the law, or undefined; an exception breaks the law too. */
  readonly problem: (input: A) => string | undefined
  readonly show: (input: A) => string
}

export interface Law {
  readonly name: string
  /** The number of inputs tried. */
  readonly check: (
    bucket: string,
    options: CheckOptions
  ) => Effect.Effect<number, LawViolation | LawUndecided>
}

const defaultRuns = 200
const maxShrinks = 2000

const thrown = (error: unknown): string => error instanceof Error ? error.message : String(error)

const mismatch = {
  AttemptDiscarded: "the token's input is no longer generated",
  ShrinkPathUnavailable: "the token's smallest input is no longer generated",
  ShrinkPassed: "the token's smallest input passes; check again without the token"
} as const

const problemOf = <A>({ problem }: LawOptions<A>, input: A): string | undefined => {
  try {
    return problem(input)
  } catch (error) {
    return `threw ${thrown(error)}`
  }
}

/** Whether `token` is one that a failed check gave: a JSON array. */
const isToken = (token: string): boolean => Array.isArray(Json.read(token))

export const make = <A>(name: string, options: LawOptions<A>): Law => ({
  name,
  check: Effect.fnUntraced(function*(bucket, { runs = defaultRuns, seed, replay }) {
    const undecided = (reason: string) => new LawUndecided({ bucket, law: name, reason })
    const inputs = yield* Effect.try({
      try: options.inputs,
      catch: (error) => undecided(`its schema generates no values: ${thrown(error)}`)
    })
    if (replay !== undefined && !isToken(replay)) return yield* undecided("not a replay token")
    const holds = (input: A): boolean => problemOf(options, input) === undefined
    const result = yield* Arbitrary.checkEffect(inputs, holds, { runs, seed, replay, maxShrinks })
    switch (result._tag) {
      case "Passed":
        return result.runs
      case "Exhausted":
        return yield* undecided(`its schema generated ${result.runs} values in too many attempts`)
      case "ReplayMismatch":
        if (result.reason === "PropertyPassed") return 1
        return yield* undecided(mismatch[result.reason])
      case "Falsified": {
        const problem = problemOf(options, result.shrunkInput) ?? "holds only at times"
        const counterexample = options.show(result.shrunkInput)
        const token = `${name}@${result.replay}`
        return yield* new LawViolation({
          bucket,
          law: name,
          problem,
          counterexample,
          replay: token
        })
      }
    }
  })
})

/** Checks each law in turn; the first that does not hold is the failure. */
export const checkLaws = Effect.fnUntraced(function*(
  bucket: string,
  laws: ReadonlyArray<Law>,
  options: CheckOptions = {}
) {
  const [name, ...token] = options.replay?.split("@") ?? []
  const chosen = name === undefined ? laws : laws.filter((law) => law.name === name)
  if (name !== undefined && chosen.length === 0) {
    const reason = "the token names a law that does not apply to this bucket"
    return yield* new LawUndecided({ bucket, law: name, reason })
  }
  const checked: Array<Report["laws"][number]> = []
  for (const law of chosen) {
    const replay = name === undefined ? undefined : token.join("@")
    checked.push({ law: law.name, runs: yield* law.check(bucket, { ...options, replay }) })
  }
  const report: Report = { bucket, laws: checked }
  return report
})
