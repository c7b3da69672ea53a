/** Runs random commands against each storage and a plain map, which must not be told apart. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import {
  directFixture,
  memoryFixture,
  type StorageFixture,
  workerFixture
} from "./storageFixtures.ts"
import { agreeAtTheEnd, commands, emptyModel } from "./StorageModel.ts"

const runs: ReadonlyArray<readonly [string, () => StorageFixture, number]> = [
  ["on this thread, in memory", memoryFixture, 300],
  ["on this thread, in a file", directFixture, 40],
  ["on a thread of its own", workerFixture, 15]
]

it.each(runs)("a storage %s behaves as a map does", async (_, makeFixture, numRuns) => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const fixture = makeFixture()
      const storage = await fixture.open({ limits: { groupChangesMax: 3 } })
      const model = emptyModel()
      const real = { fixture, storage, waiting: [] }
      try {
        await fc.asyncModelRun(() => ({ model, real }), steps)
        await agreeAtTheEnd(model, real)
        accepted += model.accepted
      } finally {
        await real.storage.close()
        fixture.remove()
      }
    }),
    { numRuns }
  )
  expect(accepted).toBeGreaterThan(numRuns * 5)
})
