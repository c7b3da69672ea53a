/** Runs random commands against each storage and a plain map, which must not be told apart. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { directPlace, memoryPlace, type StorageFixture, workerPlace } from "./storageFixtures.ts"
import { agreeAtTheEnd, commands, emptyModel } from "./StorageModel.ts"

const runs: ReadonlyArray<readonly [string, () => StorageFixture, number]> = [
  ["on this thread, in memory", memoryPlace, 300],
  ["on this thread, in a file", directPlace, 40],
  ["on a thread of its own", workerPlace, 15]
]

it.each(runs)("a storage %s behaves as a map does", async (_, makePlace, numRuns) => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const place = makePlace()
      const storage = await place.open({ limits: { groupChangesMax: 3 } })
      const model = emptyModel()
      const real = { place, storage, waiting: [] }
      try {
        await fc.asyncModelRun(() => ({ model, real }), steps)
        await agreeAtTheEnd(model, real)
        accepted += model.accepted
      } finally {
        await real.storage.close()
        place.remove()
      }
    }),
    { numRuns }
  )
  expect(accepted).toBeGreaterThan(numRuns * 5)
})
