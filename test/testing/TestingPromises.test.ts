// Checks the law kit and the simulator as tests with Promises use them.
import { expect, it } from "vitest"
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import type { SimulationProgress } from "../../src/testing/simulate/Options.ts"
import { checkBucketPromise, simulatePromise } from "../../src/testing/TestingPromises.ts"
import { scores } from "../cluster/buckets.ts"

const sums = Bucket.merge("sums", {
  key: Key.text,
  value: Schema.Int,
  merge: (left, right) => left + right
})

it("checkBucketPromise gives the report, and rejects with the law that is broken", async () => {
  expect(await checkBucketPromise(scores, { runs: 5 })).toMatchObject({ bucket: "scores" })
  await expect(checkBucketPromise(sums, { runs: 50, seed: 1 }))
    .rejects.toMatchObject({ _tag: "LawViolation", bucket: "sums" })
})

it("simulatePromise tells how far it is, after each seed", async () => {
  const told: Array<SimulationProgress> = []
  const report = await simulatePromise(scores, {
    seed: 7,
    seeds: 3,
    steps: 20,
    onProgress: (progress) => told.push(progress)
  })
  expect(report).toMatchObject({ bucket: "scores", seed: 7, seeds: 3 })
  expect(told).toEqual([
    { seed: 7, done: 1, seeds: 3 },
    { seed: 8, done: 2, seeds: 3 },
    { seed: 9, done: 3, seeds: 3 }
  ])
  await expect(simulatePromise(scores, { nodes: 0 }))
    .rejects.toMatchObject({ _tag: "InvalidSimulation" })
})

it("simulatePromise ends when its signal is aborted", async () => {
  const aborting = new AbortController()
  const running = simulatePromise(scores, {
    seeds: 1_000,
    steps: 20,
    onProgress: () => aborting.abort()
  }, { signal: aborting.signal })
  await expect(running).rejects.toThrow()
})
