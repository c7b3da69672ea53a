/** Runs random commands against each storage and a plain map, which must not be told apart. */
import * as fc from "fast-check"
import { expect, it } from "vitest"
import type { LogLimits } from "../../src/storage/StorageOptions.ts"
import {
  directFixture,
  memoryFixture,
  type StorageFixture,
  workerFixture
} from "./storageFixtures.ts"
import { agreeAtTheEnd, emptyModel, makeCommands } from "./StorageModel.ts"

type MakeFixture = (limits: Partial<LogLimits>) => StorageFixture

const fixtures: ReadonlyArray<readonly [string, MakeFixture, number]> = [
  ["on this thread, in memory", memoryFixture, 300],
  ["on this thread, in a file", directFixture, 40],
  ["on a thread of its own", workerFixture, 50]
]

const logs: ReadonlyArray<readonly [string, Partial<LogLimits> & Pick<LogLimits, "logBytesMax">]> =
  [
    ["without a log", { logBytesMax: 0, foldRowsMax: 1 }],
    ["with a log of one record", { logBytesMax: 800, foldRowsMax: 1 }],
    ["with a log of some records", { logBytesMax: 3_000, foldRowsMax: 3 }],
    ["with a log of all records", {
      logBytesMax: 1_000_000,
      logGrowthBytes: 1_000,
      foldRowsMax: 100
    }]
  ]

const runs = fixtures.flatMap(([name, makeFixture, count]) =>
  logs.map(([log, limits]) =>
    [`${name}, ${log},`, () => makeFixture(limits), limits, Math.ceil(count / 5)] as const
  )
)

it.each(runs)(
  "a storage %s behaves as a map does",
  async (_, makeFixture, { logBytesMax }, numRuns) => {
    const commands = makeCommands({ hasLog: logBytesMax > 0 })
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
    // Few runs draw few commands now and then; on average each has several writes.
    expect(accepted).toBeGreaterThan(numRuns)
  }
)
