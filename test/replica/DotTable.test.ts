// The table of last dots: it tells the counter of each document, however the hashes fall, and takes
// little memory.
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { DotTable, type KeyHash } from "../../src/replica/DotTable.ts"

const word = fc.oneof(
  // Near one another, at both ends, so that they share a run of slots and run round the end.
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 2 ** 32 - 4, max: 2 ** 32 - 1 }),
  fc.integer({ min: 0, max: 2 ** 32 - 1 })
)
const hash: fc.Arbitrary<KeyHash> = fc.record({ high: word, low: word })
const counter = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.maxSafeInteger().filter((n) => n > 0))

const nameOf = ({ high, low }: KeyHash): string => `${high} ${low}`

it("a table of dots tells the last counter of each document, and none of others", () => {
  const changes = fc.array(fc.tuple(hash, counter), { maxLength: 200, size: "max" })
  fc.assert(fc.property(changes, fc.array(hash), (made, others) => {
    const table = new DotTable()
    const model = new Map<string, number>()
    for (const [at, last] of made) {
      table.set(at, last)
      model.set(nameOf(at), last)
    }
    expect(table.size).toBe(model.size)
    for (const at of [...made.map(([known]) => known), ...others]) {
      expect(table.get(at)).toBe(model.get(nameOf(at)) ?? 0)
    }
  }))
})

it("a table of dots takes at most 24 bytes for each document, beyond its first 128", () => {
  const table = new DotTable()
  for (let i = 1; i <= 20_000; i++) {
    table.set({ high: (i * 0x9e37_79b1) >>> 0, low: i }, i)
    expect(table.bytes).toBeLessThanOrEqual(128 + 24 * table.size)
  }
})

it("a table of dots refuses a counter that is none", () => {
  for (const wrong of [0, -1, 1.5, 2 ** 53]) {
    expect(() => new DotTable().set({ high: 0, low: 0 }, wrong)).toThrow("an integer from 1")
  }
})
