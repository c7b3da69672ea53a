/**
 * Looks for a planted bug, and prints the result as JSON. A program of its own, since the bug must
 * be there before the files that it changes are loaded.
 *
 * ```
 * search.ts NAME FROM SEEDS [shrink]   runs so many seeds until a checker finds it
 * search.ts NAME kept                  runs the counterexample of that name
 * ```
 */
import "effect/schema/SchemaJITCompiler/enable"
import type { Violation } from "../../../src/testing/simulator/History.ts"
import { plants } from "./Plants.ts"
import { plant } from "./Plant.ts"

const [, , name = "", from, seeds, shrinks] = process.argv
const planted = plants.find((known) => known.name === name)
if (planted === undefined) throw new Error(`no planted bug is named ${name}`)
plant(planted)
const { judged, judgedPlan } = await import("../judged.ts")
const { counterexamples, keep } = await import("../Counterexamples.ts")
const { drawPlan } = await import("../../../src/testing/simulator/DrawPlan.ts")

const runsMax = 5_000

const print = (seed: number, violations: ReadonlyArray<Violation>): boolean => {
  const [violation] = violations
  if (violation === undefined) return false
  const checkers = [...new Set(violations.map(({ checker }) => checker))]
  const kept = shrinks === "shrink" ? keep(name, { plan: drawPlan(seed), runsMax }) : undefined
  console.log(JSON.stringify({ seed, checkers, violation, kept }))
  return true
}

if (from === "kept") {
  const kept = new Map(counterexamples()).get(name)
  if (kept !== undefined) print(kept.plan.seed, judgedPlan(kept.plan).violations)
} else {
  const end = Number(from) + Number(seeds)
  for (let seed = Number(from); seed < end; seed++) if (print(seed, judged(seed).violations)) break
}
