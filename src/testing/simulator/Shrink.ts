/**
 * Makes a failing plan small: takes out of it whatever the failure does not need. Plans are data,
 * and every operation has chances of its own, so that what is left does mostly what it did.
 *
 * Mostly: less traffic is another schedule, and what failed by a hair fails no more. So when
 * nothing more can go, each part is tried again under other seeds.
 *
 * A smaller plan counts only if the same checker refuses it: another failure is another story.
 *
 * @see Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002 (ddmin)
 */
import type { Violation } from "./History.ts"
import { placeOf, type Plan, type PlannedFault, type PlannedOperation } from "./Plan.ts"

export interface ShrinkOptions {
  /** All that checkers find wrong with a run of a plan. */
  readonly judge: (plan: Plan) => ReadonlyArray<Violation>
  readonly runsMax?: number
}

export interface Shrunk {
  readonly plan: Plan
  /** The first that the same checker finds wrong with it. */
  readonly violation: Violation
  readonly runs: number
}

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
  readonly #judge: ShrinkOptions["judge"]
  readonly #runsMax: number

  constructor(plan: Plan, violation: Violation, options: ShrinkOptions) {
    this.plan = plan
    this.violation = violation
    this.#judge = options.judge
    this.#runsMax = options.runsMax ?? runsMaxDefault
  }

  run(): void {
    for (const seeds of seedsTried) {
      this.#seeds = seeds
      let before: Plan | undefined
      while (before !== this.plan) {
        before = this.plan
        this.#pass()
      }
    }
  }

  /** Boldest first. What goes late may have been what held something else, so one is not enough. */
  #pass(): void {
    this.#dropDocuments()
    this.#dropClasses()
    this.#dropParts(this.plan.faults, (faults) => ({ ...this.plan, faults }))
    this.#dropParts(this.plan.operations, (operations) => ({ ...this.plan, operations }))
    this.#dropNodes()
    this.#dropSessions()
    this.#calm()
    this.#shorten()
  }

  /** Whether the failure is still there, under some seed; then the plan is the smaller one. */
  #tries(smaller: Partial<Plan>): boolean {
    for (let i = 0; i < this.#seeds; i++) {
      if (this.runs >= this.#runsMax) return false
      this.runs++
      const plan = this.#withLuck({ ...this.plan, ...smaller }, i)
      const same = this.#judge(plan).find(({ checker }) => checker === this.violation.checker)
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
  #dropDocuments(): void {
    const { plan: { operations }, violation } = this
    const here = operations.filter((operation) => placeOf(operation) === placeOf(violation))
    if (here.length > 0 && here.length < operations.length) this.#tries({ operations: here })
  }

  #dropClasses(): void {
    const { faults } = this.plan
    const names = [...new Set(faults.map(({ fault }) => fault))]
    this.#dropParts(names, (kept) => ({
      faults: faults.filter(({ fault }) => kept.includes(fault))
    }))
  }

  /** Leaves out halves, then quarters, in the end single items. */
  #dropParts<A>(items: ReadonlyArray<A>, planOf: (kept: ReadonlyArray<A>) => Partial<Plan>): void {
    let kept = items
    for (let size = kept.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < kept.length;) {
        const fewer = [...kept.slice(0, start), ...kept.slice(start + size)]
        if (this.#tries(planOf(fewer))) kept = fewer
        else start += size
      }
    }
  }

  /** Leaves out a node; another does what it did. */
  #dropNodes(): void {
    for (const gone of this.plan.nodes) {
      const nodes = this.plan.nodes.filter((node) => node !== gone)
      const [first] = nodes
      if (first === undefined || nodes.length < nodesMin) return
      const operations = this.plan.operations.map((operation): PlannedOperation =>
        operation.node === gone ? { ...operation, node: first } : operation
      )
      const faults = this.plan.faults.filter(({ node, other }) => node !== gone && other !== gone)
      this.#tries({ nodes, operations, faults })
    }
  }

  /** Has one session do what two did; what it does is promised no more than before. */
  #dropSessions(): void {
    const sessions = [...new Set(this.plan.operations.map(({ session }) => session))]
    for (const gone of sessions.slice(1)) {
      const operations = this.plan.operations.map((operation) =>
        operation.session === gone ? { ...operation, session: sessions[0]! } : operation
      )
      this.#tries({ operations, guarded: this.plan.guarded.filter((session) => session !== gone) })
    }
  }

  #calm(): void {
    const { answerLoss, cacheBytesMax, disk, guarded, maxPayloadBytes } = this.plan
    if (disk === "sqlite") this.#tries({ disk: "model" })
    if (cacheBytesMax > 0) this.#tries({ cacheBytesMax: 0 })
    if (answerLoss > 0) this.#tries({ answerLoss: 0 })
    if (guarded.length > 0) this.#tries({ guarded: [] })
    if (maxPayloadBytes < payloadBytes) this.#tries({ maxPayloadBytes: payloadBytes })
  }

  /** Begins with what comes first, ends with what comes last, and halves what lasts. */
  #shorten(): void {
    const { chaosMillis, faults, operations } = this.plan
    const first = Math.min(chaosMillis, ...timesOf(this.plan))
    if (first > 0) {
      this.#tries({
        chaosMillis: chaosMillis - first,
        operations: operations.map((operation) => earlier(operation, first)),
        faults: faults.map((fault) => earlier(fault, first))
      })
    }
    const last = Math.max(0, ...timesOf(this.plan))
    if (last + 1 < this.plan.chaosMillis) this.#tries({ chaosMillis: last + 1 })
    for (const index of faults.keys()) {
      let fault = this.plan.faults[index]!
      while (fault.forMillis > 1) {
        fault = halved(fault)
        if (!this.#tries({ faults: this.plan.faults.with(index, fault) })) break
      }
    }
  }
}

/** **Requires** that `violation` is among what is wrong with a run of `plan`. */
export const shrink = (plan: Plan, violation: Violation, options: ShrinkOptions): Shrunk => {
  const shrinking = new Shrinking(plan, violation, options)
  shrinking.run()
  return { plan: shrinking.plan, violation: shrinking.violation, runs: shrinking.runs }
}
