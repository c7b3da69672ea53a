/**
 * Runs simulations from the command line: one seed with its story, or many on all cores.
 *
 * ```
 * npm run simulate -- --seed 42 [--key carts/carts0]
 * npm run simulate -- --seed 42 --shrink
 * npm run simulate -- --seeds 2000 [--from 1]
 * npm run simulate -- --long [--from 1]
 * npm run simulate -- --seeds 200 --twice
 * npm run simulate -- --plant NAME [--seeds 2000] [--shrink]
 * npm run simulate -- --plants [--seeds 2000]
 * ```
 */
import "effect/schema/SchemaJITCompiler/enable"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { faultClasses } from "../../src/testing/simulator/Faults.ts"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import { allMarks } from "../../src/testing/simulator/Marks.ts"
import { runBatch, serve } from "./batch.ts"
import { type Counterexample, keep } from "./Counterexamples.ts"
import { judged, type JudgedRun, lines } from "./judged.ts"
import { findPlant, findPlants, rowOf } from "./plants/FindPlant.ts"
import { plants } from "./plants/Plants.ts"
import { Tally } from "./Tally.ts"

const progressMillis = 5_000
const runsMax = 5_000
const seedsThatMeetAll = 10_000
/** So many meet every class of faults; a class that none of them met is drawn no more. */
const seedsThatMeetFaults = 1_000
/** Of the run before a release: fresh seeds each time, unless it is told where to begin. */
const longSeeds = 3_000
const freshFrom = () => Math.floor(Math.random() * 2 ** 31)
const linesMax = 50

const report = (result: JudgedRun): void => {
  for (const line of lines(result).slice(0, linesMax)) console.log(line)
}

const runOne = (seed: number, key: string | undefined): boolean => {
  const [bucket = "", name = ""] = key?.split("/") ?? []
  const result = judged(seed, key === undefined ? {} : { story: { bucket, key: name } })
  for (const line of result.story) console.log(line)
  const tally = new Tally()
  if (result.summary !== undefined) tally.add(result.summary)
  for (const line of tally.table()) console.log(line)
  console.log(`\nhash ${result.hash}`)
  report(result)
  const failed = result.violations.find((violation) => violation.key !== "")
  if (failed !== undefined && key === undefined) {
    console.log(`\nits story: --seed ${seed} --key ${failed.bucket}/${failed.key}`)
    console.log(`the least of it: --seed ${seed} --shrink`)
  }
  return result.violations.length === 0
}

const told = (name: string, { checker, plan, problem }: Counterexample): string =>
  `kept as counterexamples/${name}.json: ${checker}: ${problem}, with `
  + `${plan.operations.length} operations, ${plan.faults.length} faults`

const shrinkOne = (seed: number): boolean => {
  const name = `seed-${seed}`
  const kept = keep(name, { plan: drawPlan(seed), runsMax })
  console.log(kept === undefined ? `nothing is wrong with seed ${seed}` : told(name, kept))
  return kept !== undefined
}

/** The faults, and the paths, that no run met. Only so many seeds must meet them. */
const unmet = (tally: Tally) => ({
  faults: faultClasses.map(({ name }) => name).filter((name) => !tally.names("faults").has(name)),
  marks: allMarks.filter((mark) => !tally.names("marks").has(mark))
})

/** As long as the seeds took that are done, each of those that are left. */
const minutesLeft = (millis: number, { done, seeds }: { done: number; seeds: number }): string =>
  (millis / done * (seeds - done) / 60_000).toFixed(0)

const runMany = async (from: number, seeds: number): Promise<boolean> => {
  const processes = availableParallelism()
  console.log(`seeds ${from} to ${from + seeds - 1} in ${processes} processes`)
  const tally = new Tally()
  const failed: Array<number> = []
  let done = 0
  let toldAt = performance.now()
  const startedAt = performance.now()
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0)
  const onJudged = (result: JudgedRun): void => {
    done++
    if (result.summary !== undefined) tally.add(result.summary)
    if (result.violations.length > 0) {
      failed.push(result.seed)
      report(result)
    }
    if (performance.now() - toldAt < progressMillis) return
    toldAt = performance.now()
    const left = minutesLeft(toldAt - startedAt, { done, seeds })
    console.log(
      `${done} of ${seeds} seeds after ${seconds()} s, ${failed.length} failed; ${left} min left`
    )
  }
  await runBatch({ from, seeds, processes, program: import.meta.filename, onJudged })
  for (const line of tally.table()) console.log(line)
  console.log(`\n${seconds()} s; ${failed.length} of ${done} seeds failed`)
  if (failed.length > 0) console.log(`failed: ${failed.sort((a, b) => a - b).join(" ")}`)
  const never = unmet(tally)
  for (const name of never.marks) console.log(`never: ${name}`)
  for (const name of never.faults) console.log(`never: fault: ${name}`)
  return failed.length === 0
    && (never.marks.length === 0 || seeds < seedsThatMeetAll)
    && (never.faults.length === 0 || seeds < seedsThatMeetFaults)
}

/** Whether each seed ends in the same hash in two processes. */
const runTwice = async (from: number, seeds: number): Promise<boolean> => {
  const hashes = [new Map<number, string>(), new Map<number, string>()]
  const program = import.meta.filename
  await Promise.all(hashes.map((of) => {
    const onJudged = ({ hash, seed }: JudgedRun) => void of.set(seed, hash)
    return runBatch({ from, seeds, processes: 1, program, onJudged })
  }))
  const [first, second] = hashes
  const same = [...first!].filter(([seed, hash]) => hash !== "" && hash === second!.get(seed))
  console.log(`${same.length} of ${seeds} seeds end in the same hash in two processes`)
  return same.length === seeds
}

/** Whether a planted bug is found, as it must be. */
const runPlant = async (
  name: string,
  options: { readonly seeds: number; readonly shrink: boolean }
): Promise<boolean> => {
  const { seeds } = options
  const plant = plants.find((known) => known.name === name)
  if (plant === undefined) {
    console.error(`no bug is named ${name}; there are: ${plants.map((p) => p.name).join(", ")}`)
    return false
  }
  const found = await findPlant(plant, options)
  if (found === undefined) console.log(`${name}: not found in ${seeds} seeds`)
  else for (const line of lines({ ...found, violations: [found.violation] })) console.log(line)
  if (found?.kept !== undefined) console.log(told(name, found.kept))
  return found !== undefined
}

const runPlants = async (seeds: number): Promise<boolean> => {
  let unknown = 0
  console.log("| planted bug | what is wrong | seed | found by |")
  console.log("| --- | --- | --- | --- |")
  await findPlants({
    seeds,
    onFound: (plant, found) => {
      if (found === undefined) unknown++
      console.log(rowOf(plant, found))
    }
  })
  return unknown === 0
}

const usage =
  "--seed N [--key bucket/key | --shrink], --seeds N [--from N] [--twice], --long [--from N], "
  + "--plant NAME or --plants"

const main = async (): Promise<boolean> => {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      from: { type: "string" },
      long: { type: "boolean" },
      key: { type: "string" },
      twice: { type: "boolean" },
      shrink: { type: "boolean", default: false },
      plant: { type: "string" },
      plants: { type: "boolean" }
    }
  })
  const { shrink } = values
  if (values.seed !== undefined) {
    const seed = Number(values.seed)
    return shrink ? shrinkOne(seed) : runOne(seed, values.key)
  }
  const plantSeeds = Number(values.seeds ?? 2_000)
  if (values.plant !== undefined) return runPlant(values.plant, { seeds: plantSeeds, shrink })
  if (values.plants === true) return runPlants(plantSeeds)
  if (values.long === true) return runMany(Number(values.from ?? freshFrom()), longSeeds)
  if (values.seeds !== undefined) {
    const runAll = values.twice === true ? runTwice : runMany
    return runAll(Number(values.from ?? 1), Number(values.seeds))
  }
  console.error(usage)
  return false
}

if (process.argv[2] === "worker") serve()
else if (!await main()) process.exitCode = 1
