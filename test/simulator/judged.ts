/**
 * Runs one seed and says everything that is wrong with it; that it does not end is wrong, too.
 */
import { checkAll } from "../../src/testing/simulator/Checkers.ts"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import type { Violation } from "../../src/testing/simulator/History.ts"
import type { Plan } from "../../src/testing/simulator/Plan.ts"
import { type Run, run, type RunOptions, type Summary } from "../../src/testing/simulator/Run.ts"
import { sqliteDisk } from "./s2/TornSqliteDisk.ts"

export interface JudgedRun {
  readonly seed: number
  readonly violations: ReadonlyArray<Violation>
  /** Undefined where the run was broken off. */
  readonly summary: Summary | undefined
  readonly hash: string
  readonly story: ReadonlyArray<string>
}

const brokenOff = (thrown: unknown): Violation => ({
  checker: "run",
  bucket: "",
  key: "",
  problem: thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown)
})

/** Runs a plan on the disks that it asks for. */
export const runPlan = (plan: Plan, options: RunOptions = {}): Run =>
  run(plan, { disk: sqliteDisk, ...options })

export const judgedPlan = (plan: Plan, options: RunOptions = {}): JudgedRun => {
  const { seed } = plan
  try {
    const { hash, record, story, summary } = runPlan(plan, options)
    return { seed, violations: checkAll(record), summary, hash, story }
  } catch (thrown) {
    const violations = [brokenOff(thrown)]
    return { seed, violations, summary: undefined, hash: "", story: [] }
  }
}

export const judged = (seed: number, options: RunOptions = {}): JudgedRun =>
  judgedPlan(drawPlan(seed), options)

/**
 * A violation in a line, each cause once: a violation at one node mostly shows at the others as
 * well.
 */
export const lines = (
  { seed, violations }: Pick<JudgedRun, "seed" | "violations">
): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return violations.flatMap(({ bucket, checker, key, problem }) => {
    const cause = `${checker} ${bucket}/${key} ${problem.replace(/at n\d+, /u, "")}`
    if (seen.has(cause)) return []
    seen.add(cause)
    return [`seed ${seed}: ${checker}: ${bucket === "" ? "" : `${bucket}/${key}: `}${problem}`]
  })
}
