/**
 * Makes a failing plan small: leaves out all that the failure does not need. Plans are data, and
 * every operation has chances of its own, so that the rest mostly runs as before.
 *
 * Mostly: less traffic is another schedule, and a rare failure may be gone. So when nothing more
 * can be left out, each item is tried again under other seeds.
 *
 * A smaller plan counts only if the same checker refuses it: another failure is another story.
 *
 * @see Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002 (ddmin)
 */
import type { Violation } from "./History.ts"
import { documentNameOf, type Plan, type PlannedFault, type PlannedOperation } from "./Plan.ts"

export interface ShrinkOptions {
  /** All violations in a run of a plan. */
  readonly judge: (plan: Plan) => ReadonlyArray<Violation>
  readonly runsMax?: number
}

export interface Shrunk {
  readonly plan: Plan
  /** The first violation of the same checker. */
  readonly violation: Violation
  readonly runs: number
}

/** Yields each plan to run, and is sent the violations of that run. */
export type Runs<A> = Generator<Plan, A, ReadonlyArray<Violation>>

const runsMaxDefault = 500
const nodesMin = 3
const payloadBytes = 65_536
/** Seeds that each smaller plan is tried under: its own first, then some more. */
const seedsTried = [1, 10]
const goldenRatio = 0.618_034

/** The chances of a fault, rolled again; whole numbers mean something, and stay. */
const rerolled = (fault: PlannedFault, times: number): PlannedFault =>
  Number.isInteger(fault.amount) || Math.abs(fault.amount) > 1
    ? fault
    : { ...fault, amount: (Math.abs(fault.amount) + times * goldenRatio) % 1 }

const halved = (fault: PlannedFault): PlannedFault => ({
  ...fault,
  forMillis: fault.forMillis >> 1
})

const timesOf = ({ faults, operations }: Plan): ReadonlyArray<number> =>
  [...operations, ...faults].map(({ atMillis }) => atMillis)

const earlier = <A extends { readonly atMillis: number }>(item: A, byMillis: number): A => ({
  ...item,
  atMillis: item.atMillis - byMillis
})

class Shrinking {
  plan: Plan
  violation: Violation
  runs = 0
  #seeds = 1
  readonly #runsMax: number

  constructor(plan: Plan, violation: Violation, runsMax: number) {
    this.plan = plan
    this.violation = violation
    this.#runsMax = runsMax
  }

  *run(): Runs<Shrunk> {
    for (const seeds of seedsTried) {
      this.#seeds = seeds
      let before: Plan | undefined
      while (before !== this.plan) {
        before = this.plan
        yield* this.#pass()
      }
    }
    return { plan: this.plan, violation: this.violation, runs: this.runs }
  }

  /** Boldest first. A late step may make an earlier one possible, so one round is not enough. */
  *#pass(): Runs<void> {
    yield* this.#dropDocuments()
    yield* this.#dropClasses()
    yield* this.#dropItems(this.plan.faults, (faults) => ({ ...this.plan, faults }))
    yield* this.#dropItems(this.plan.operations, (operations) => ({ ...this.plan, operations }))
    yield* this.#dropNodes()
    yield* this.#dropSessions()
    yield* this.#calm()
    yield* this.#shorten()
  }

  /** Whether the failure is still there, under some seed; then the plan is the smaller one. */
  *#tries(smaller: Partial<Plan>): Runs<boolean> {
    for (let i = 0; i < this.#seeds; i++) {
      if (this.runs >= this.#runsMax) return false
      this.runs++
      const plan = this.#withLuck({ ...this.plan, ...smaller }, i)
      const violations = yield plan
      const same = violations.find(({ checker }) => checker === this.violation.checker)
      if (same === undefined) continue
      this.plan = plan
      this.violation = same
      return true
    }
    return false
  }

  /** The same plan under another seed. */
  #withLuck(plan: Plan, times: number): Plan {
    if (times === 0) return plan
    const faults = plan.faults.map((fault) => rerolled(fault, times))
    return { ...plan, seed: plan.seed + times, faults }
  }

  /** Leaves the operations on the document that the failure is about. */
  *#dropDocuments(): Runs<void> {
    const { plan: { operations }, violation } = this
    const here = operations.filter((operation) =>
      documentNameOf(operation) === documentNameOf(violation)
    )
    if (here.length > 0 && here.length < operations.length) yield* this.#tries({ operations: here })
  }

  *#dropClasses(): Runs<void> {
    const { faults } = this.plan
    const names = [...new Set(faults.map(({ fault }) => fault))]
    yield* this.#dropItems(names, (kept) => ({
      faults: faults.filter(({ fault }) => kept.includes(fault))
    }))
  }

  /** Leaves out halves, then quarters, in the end single items. */
  *#dropItems<A>(
    items: ReadonlyArray<A>,
    planOf: (kept: ReadonlyArray<A>) => Partial<Plan>
  ): Runs<void> {
    let kept = items
    for (let size = kept.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < kept.length;) {
        const fewer = [...kept.slice(0, start), ...kept.slice(start + size)]
        if (yield* this.#tries(planOf(fewer))) kept = fewer
        else start += size
      }
    }
  }

  /** Leaves out a node; another takes over its operations and faults. */
  *#dropNodes(): Runs<void> {
    for (const gone of this.plan.nodes) {
      const nodes = this.plan.nodes.filter((node) => node !== gone)
      const [first] = nodes
      if (first === undefined || nodes.length < nodesMin) return
      const operations = this.plan.operations.map((operation): PlannedOperation =>
        operation.node === gone ? { ...operation, node: first } : operation
      )
      const faults = this.plan.faults.filter(({ node, other }) => node !== gone && other !== gone)
      yield* this.#tries({ nodes, operations, faults })
    }
  }

  /** Has one session carry out the operations of two, with the weaker promise of both. */
  *#dropSessions(): Runs<void> {
    const sessions = [...new Set(this.plan.operations.map(({ session }) => session))]
    for (const gone of sessions.slice(1)) {
      const operations = this.plan.operations.map((operation) =>
        operation.session === gone ? { ...operation, session: sessions[0]! } : operation
      )
      yield* this.#tries({
        operations,
        guarded: this.plan.guarded.filter((session) => session !== gone)
      })
    }
  }

  *#calm(): Runs<void> {
    const { answerLoss, cacheBytesMax, disk, guarded, limits = {}, maxPayloadBytes } = this.plan
    if (disk === "sqlite") yield* this.#tries({ disk: "model" })
    if (cacheBytesMax > 0) yield* this.#tries({ cacheBytesMax: 0 })
    yield* this.#dropItems(Object.entries(limits), (kept) => ({
      limits: Object.fromEntries(kept)
    }))
    if (answerLoss > 0) yield* this.#tries({ answerLoss: 0 })
    if (guarded.length > 0) yield* this.#tries({ guarded: [] })
    if (maxPayloadBytes < payloadBytes) yield* this.#tries({ maxPayloadBytes: payloadBytes })
  }

  /**
   * Moves the first event to the beginning, ends after the last, and halves the durations of
   * faults.
   */
  *#shorten(): Runs<void> {
    const { chaosMillis, faults, operations } = this.plan
    const first = Math.min(chaosMillis, ...timesOf(this.plan))
    if (first > 0) {
      yield* this.#tries({
        chaosMillis: chaosMillis - first,
        operations: operations.map((operation) => earlier(operation, first)),
        faults: faults.map((fault) => earlier(fault, first))
      })
    }
    const last = Math.max(0, ...timesOf(this.plan))
    if (last + 1 < this.plan.chaosMillis) yield* this.#tries({ chaosMillis: last + 1 })
    for (const index of faults.keys()) {
      let fault = this.plan.faults[index]!
      while (fault.forMillis > 1) {
        fault = halved(fault)
        if (!(yield* this.#tries({ faults: this.plan.faults.with(index, fault) }))) break
      }
    }
  }
}

/**
 * Shrinks run by run, for a caller that lets others have their turn in between.
 *
 * **Requires** that `violation` is one of a run of `plan`.
 */
export const shrinking = (
  plan: Plan,
  violation: Violation,
  { runsMax = runsMaxDefault }: Pick<ShrinkOptions, "runsMax">
): Runs<Shrunk> => new Shrinking(plan, violation, runsMax).run()

/** Shrinks at once (see `shrinking`). */
export const shrink = (plan: Plan, violation: Violation, options: ShrinkOptions): Shrunk => {
  const runs = shrinking(plan, violation, options)
  let step = runs.next()
  while (step.done !== true) step = runs.next(options.judge(step.value))
  return step.value
}
