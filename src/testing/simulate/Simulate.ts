/**
 * Runs an application's bucket, with its merge and its clients' own operations, on simulated
 * clusters under faults, so that its author learns the effects of concurrent writes from a seed,
 * not from customers.
 */
import * as Effect from "effect/Effect"
import { digest64 } from "../../core/Hash.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import { drawPlan } from "../simulator/DrawPlan.ts"
import type { Outcome, Violation } from "../simulator/History.ts"
import { isWrite, type Plan } from "../simulator/Plan.ts"
import { type Run, run } from "../simulator/Run.ts"
import { shrinking } from "../simulator/Shrink.ts"
import { account } from "./Account.ts"
import { type Brought, drawSteps, scenarioOf, type SeedSetting } from "./Clients.ts"
import { type FaultKind, faultKinds, kinds, survivable } from "./FaultKinds.ts"
import { type AnyInvariant, brokenOff, judge } from "./Judge.ts"
import { type AnyOperation, type AnyOperations, generate } from "./Operation.ts"
import {
  InvalidSimulation,
  type SimulateOptions,
  SimulationFailed,
  type SimulationReport
} from "./Options.ts"
import { keysOf } from "./Samples.ts"

const promises: { readonly [checker: string]: string } = {
  accepted: "the bucket takes every value that clients write",
  invariant: "the invariant holds on every node",
  absorbed: "the shown value contains every acknowledged write",
  acknowledged: "no acknowledged write is forgotten",
  convergence: "all nodes show the same in the end, and rest",
  availability: "a healthy node answers",
  identity: "nothing is applied twice",
  growth: "values do not grow without end",
  run: "nothing throws"
}

/** The options of any bucket. */
interface AnyOptions extends Pick<SimulateOptions<Any, unknown>, "nodes" | "steps" | "faults"> {
  readonly seed?: number
  readonly seeds?: number
  readonly onProgress?: SimulateOptions<Any, unknown>["onProgress"]
  readonly operations?: Readonly<Record<string, AnyOperation>>
  readonly invariant?: AnyInvariant
}

/** All options of a simulation, none left open. */
interface Chosen {
  readonly nodes: number
  readonly steps: number
  readonly seed: number
  readonly seeds: number
  readonly faults: ReadonlyArray<FaultKind>
  /** Undefined where they follow from the bucket. */
  readonly operations: AnyOperations | undefined
  readonly invariant: AnyInvariant | undefined
}

const nodesUsual = 3
const nodesMax = 15
const stepsMax = 10_000
const seedsMax = 1_000_000

const choose = Effect.fnUntraced(function*({ definition }: Any, options: AnyOptions) {
  const { faults = survivable, operations, seed = 1, seeds = 20, steps = 200 } = options
  const { invariant, nodes = Math.max(nodesUsual, definition.n) } = options
  const limits = [
    { option: "nodes", value: nodes, least: definition.n, most: nodesMax },
    { option: "steps", value: steps, least: 1, most: stepsMax },
    { option: "seed", value: seed, least: 0, most: Number.MAX_SAFE_INTEGER - seedsMax },
    { option: "seeds", value: seeds, least: 1, most: seedsMax }
  ]
  for (const { least, most, option, value } of limits) {
    if (Number.isInteger(value) && value >= least && value <= most) continue
    const expected = `a whole number from ${least} to ${most}`
    return yield* new InvalidSimulation({ option, value: String(value), expected })
  }
  const unknown = faults.find((kind) => !kinds.includes(kind))
  if (unknown !== undefined) {
    const expected = `some of ${kinds.join(", ")}`
    return yield* new InvalidSimulation({ option: "faults", value: unknown, expected })
  }
  const named = operations === undefined ? undefined : new Map(Object.entries(operations))
  if (named?.size === 0) {
    const expected = "at least one, or none given at all"
    return yield* new InvalidSimulation({ option: "operations", value: "empty", expected })
  }
  const chosen: Chosen = { nodes, steps, seed, seeds, faults, operations: named, invariant }
  return chosen
})

const invalid = (option: string, expected: string) => (value: string) =>
  new InvalidSimulation({ option, value, expected })

/** The setting that the runs of one seed share. */
const settingOf = Effect.fnUntraced(function*(bucket: Any, chosen: Chosen, seed: number) {
  const keys = yield* Effect.mapError(
    keysOf(bucket, seed),
    invalid(`the key of ${bucket.name}`, "one whose schema generates keys")
  )
  const generated = Effect.mapError(
    generate(bucket, seed),
    invalid(`the schema of ${bucket.name}`, "one that generates values, or operations of your own")
  )
  const setting: SeedSetting = {
    seed,
    bucket,
    keys,
    operations: chosen.operations ?? (yield* generated),
    areGenerated: chosen.operations === undefined,
    steps: chosen.steps
  }
  return setting
})

interface Attempt {
  readonly violations: ReadonlyArray<Violation>
  readonly brought: ReadonlyMap<number, Brought>
  /** Undefined where it was broken off. */
  readonly run: Run | undefined
}

const attempt = (
  plan: Plan,
  setting: SeedSetting,
  invariant: AnyInvariant | undefined
): Attempt => {
  const brought = new Map<number, Brought>()
  try {
    const done = run(plan, { scenario: scenarioOf(setting, brought) })
    const violations = judge({ setting, invariant, brought, record: done.record })
    return { violations, brought, run: done }
  } catch (thrown) {
    return { violations: brokenOff(thrown), brought, run: undefined }
  }
}

/** Runs that a failure is shrunk in. */
const shrinkRunsMax = 100

/** The failure, told by the smallest run found that has it. */
const failureOf = Effect.fnUntraced(function*(
  plan: Plan,
  violation: Violation,
  options: { readonly setting: SeedSetting; readonly invariant: AnyInvariant | undefined }
) {
  const { invariant, setting } = options
  const tried = (smaller: Plan) =>
    // Lets others have their turn, and the caller interrupt.
    Effect.map(Effect.yieldNow, () => attempt(smaller, setting, invariant))
  // A run with a grown value is slow, and tells enough without being shrunk.
  const runsMax = violation.checker === "growth" ? 0 : shrinkRunsMax
  const runs = shrinking(plan, violation, { runsMax })
  let step = runs.next()
  while (step.done !== true) step = runs.next((yield* tried(step.value)).violations)
  const shrunk = step.value
  const { brought, run: last } = yield* tried(shrunk.plan)
  const { bucket: named, checker, key, problem } = shrunk.violation
  return new SimulationFailed({
    bucket: setting.bucket.name,
    seed: setting.seed,
    check: checker,
    promise: promises[checker] ?? checker,
    problem: named === "" ? problem : `${JSON.stringify(key)} at ${problem}`,
    story: account(shrunk.plan, last?.record, brought)
  })
})

const outcomesOf = ({ record: { events } }: Run): Readonly<Record<string, number>> => {
  const writes = events.filter(({ operation }) => isWrite(operation))
  const count = (outcome: Outcome) => writes.filter((event) => event.outcome === outcome).length
  return { acknowledged: count("ok"), refused: count("fail"), unknown: count("info") }
}

/** Adds up the counts of several runs. */
class Sums {
  readonly #sums = new Map<string, number>()

  add(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + count)
    }
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

const simulateAny = Effect.fnUntraced(function*(bucket: Any, options: AnyOptions) {
  const chosen = yield* choose(bucket, options)
  const { invariant, nodes, seed, seeds } = chosen
  yield* Effect.logInfo(`simulates ${bucket.name} under seeds ${seed} to ${seed + seeds - 1}`)
  const faults = chosen.faults.flatMap((kind) => faultKinds[kind])
  const [operations, met] = [new Sums(), new Sums()]
  const hashes: Array<string> = []
  for (let next = seed; next < seed + seeds; next++) {
    // Lets others have their turn, and the caller interrupt.
    yield* Effect.yieldNow
    const setting = yield* settingOf(bucket, chosen, next)
    const plan = drawPlan(next, { nodes, faults, workload: drawSteps(setting) })
    const { run: done, violations: [violation] } = attempt(plan, setting, invariant)
    if (violation !== undefined) {
      return yield* (yield* failureOf(plan, violation, { setting, invariant }))
    }
    options.onProgress?.({ seed: next, done: next - seed + 1, seeds })
    if (done === undefined) continue
    operations.add(outcomesOf(done))
    met.add(done.summary.faults)
    hashes.push(done.hash)
  }
  const report: SimulationReport = {
    bucket: bucket.name,
    seed,
    seeds,
    operations: operations.toJSON(),
    faults: met.toJSON(),
    hash: digest64(hashes.join(" "))
  }
  return report
})

/**
 * Runs a bucket on simulated clusters: the nodes' and clients' real code on virtual time, under
 * faults drawn from a seed. Then the cluster is healed, and every document is checked for the
 * promises of the store, the laws of the bucket's merge, and `invariant`.
 *
 * ```ts
 * const report = yield* simulate(Carts)
 * yield* simulate(Carts, { seed: failed.seed, seeds: 1 })
 * ```
 *
 * **Fails with** `SimulationFailed`, with the seed that repeats it and the story that led to it;
 * `InvalidSimulation` where an option makes no sense.
 */
export function simulate<const B extends Any, Inputs>(
  bucket: B,
  options?: SimulateOptions<B, Inputs>
): Effect.Effect<SimulationReport, SimulationFailed | InvalidSimulation>
export function simulate(
  bucket: Any,
  options: AnyOptions = {}
): Effect.Effect<SimulationReport, SimulationFailed | InvalidSimulation> {
  return simulateAny(bucket, options)
}
