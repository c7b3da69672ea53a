/**
 * Looks for a planted bug: `search.ts NAME SEEDS [shrink]` runs seeds from 1 until a checker finds
 * it, and prints what it found as JSON. A program of its own, since the bug must be there before
 * the files that it changes are loaded.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { plants } from "./Plants.ts"
import { plant } from "./Plant.ts"

const [, , name = "", seeds, shrinks] = process.argv
const planted = plants.find((known) => known.name === name)
if (planted === undefined) throw new Error(`no planted bug is named ${name}`)
plant(planted)
const { judged } = await import("../judged.ts")
const { keep } = await import("../Counterexamples.ts")
const { drawPlan } = await import("../../../src/testing/simulator/DrawPlan.ts")

const runsMax = 1_500

for (let seed = 1; seed <= Number(seeds); seed++) {
  const [violation] = judged(seed).violations
  if (violation === undefined) continue
  const kept = shrinks === "shrink" ? keep(name, { plan: drawPlan(seed), runsMax }) : undefined
  console.log(JSON.stringify({ seed, violation, kept }))
  break
}
