// Runs whole clusters under many seeds, and checks every promise on each of them.
import { describe, expect, it } from "vitest"
import { drawPlan } from "../../src/testing/simulator/DrawPlan.ts"
import { faultClasses } from "../../src/testing/simulator/Faults.ts"
import { run } from "../../src/testing/simulator/Run.ts"
import { runBatch } from "./batch.ts"
import { judged, type JudgedRun, lines } from "./judged.ts"
import { Tally } from "./Tally.ts"
import type { PlannedFault } from "../../src/testing/simulator/Plan.ts"

/** Fresh at every run; the title says which. `EVERWRITE_SEED` repeats them. */
const firstSeed = Number(process.env["EVERWRITE_SEED"] ?? Math.floor(Math.random() * 2 ** 31))
const seedCount = 200
const twiceCount = 12
const processesCount = 6

const seedsFrom = (count: number) => Array.from({ length: count }, (_, index) => firstSeed + index)

/** Of the first run of each seed. */
const hashes = new Map<number, string>()

const judgedFirst = (seed: number): JudgedRun => {
  const result = judged(seed)
  hashes.set(seed, result.hash)
  return result
}

const hashOf = (seed: number): string => hashes.get(seed) ?? judgedFirst(seed).hash

/** A fault without its number, which follows from the draws before it. */
const unnumbered = (fault: PlannedFault) => ({ ...fault, id: 0 })

describe(`simulated clusters under ${seedCount} seeds from ${firstSeed}`, () => {
  it("keep every promise", { timeout: 600_000 }, () => {
    console.log(`EVERWRITE_SEED=${firstSeed}`)
    const tally = new Tally()
    const failures = seedsFrom(seedCount).flatMap((seed) => {
      const result = judgedFirst(seed)
      if (result.summary !== undefined) tally.add(result.summary)
      return lines(result)
    })
    expect(failures).toEqual([])
    // A cluster that was not put to the test keeps every promise.
    const outcomes = tally.names("outcomes")
    for (const bucket of ["carts", "counts", "documents", "notes", "registers", "tags"]) {
      expect(outcomes).toContain(`${bucket} ok`)
      expect(outcomes).toContain(`${bucket} info`)
    }
    expect(tally.names("faults").size).toBeGreaterThan(20)
  })

  it("do the same again for the same seed in one process", { timeout: 300_000 }, () => {
    const seeds = seedsFrom(twiceCount)
    const first = seeds.map(hashOf)
    expect(seeds.map((seed) => judged(seed).hash)).toEqual(first)
    expect(new Set(first).size).toBe(twiceCount)
  })

  it("do the same in another process", { timeout: 120_000 }, async () => {
    const elsewhere = new Map<number, string>()
    const onJudged = ({ hash, seed }: JudgedRun) => void elsewhere.set(seed, hash)
    const program = new URL("main.ts", import.meta.url).pathname
    await runBatch({ from: firstSeed, seeds: processesCount, processes: 1, program, onJudged })
    for (const seed of seedsFrom(processesCount)) {
      expect(elsewhere.get(seed)).toBe(hashOf(seed))
    }
  })

  it("are as large as they must be to find anything", () => {
    for (const seed of seedsFrom(100)) {
      const plan = drawPlan(seed)
      expect(plan.nodes.length).toBeGreaterThanOrEqual(3)
      expect(plan.operations.length).toBeGreaterThanOrEqual(150)
      expect(plan.chaosMillis).toBeGreaterThanOrEqual(10_000)
    }
  })
})

describe("a plan", () => {
  it("is plain data, whose copy runs the same", () => {
    const plan = drawPlan(firstSeed)
    const copy: typeof plan = JSON.parse(JSON.stringify(plan))
    expect(run(copy).hash).toBe(run(plan).hash)
  })

  it("keeps its operations and its other faults when a class of faults is taken away", () => {
    const classes = faultClasses.slice(1)
    for (const seed of seedsFrom(20)) {
      const plan = drawPlan(seed)
      const without = drawPlan(seed, { faults: classes })
      expect(without.operations).toEqual(plan.operations)
      const others = plan.faults.filter(({ fault }) => fault !== faultClasses[0]!.name)
      expect(without.faults.map(unnumbered)).toEqual(others.map(unnumbered))
    }
  })
})
