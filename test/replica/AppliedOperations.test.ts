// Compares the compact memory of operations that were carried out with a map that holds the same.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type HashWords, md5Words } from "../../src/core/Hash.ts"
import { ActorNumbers } from "../../src/replica/ActorNumbers.ts"
import { type AppliedOperation, AppliedOperations } from "../../src/replica/AppliedOperations.ts"

/** Few homes in the index, so that names meet there; names 0 and 256 differ in the last word. */
const hashOf = (name: number): HashWords => [name % 5, 0, name % 256, Math.floor(name / 256)]

const actorOf = (name: number): string =>
  name % 7 === 0 ? `n1.0mi8dfxmoabcdef.0${name}` : `n${name % 3}.0mi8dfxmoabcdef.${name}`

/** The specification: entries in the order in which they came. */
class Model {
  readonly entries = new Map<number, AppliedOperation>()

  takeOldest(): AppliedOperation | undefined {
    const [oldest] = this.entries
    if (oldest === undefined) return undefined
    this.entries.delete(oldest[0])
    return oldest[1]
  }
}

const name = fc.nat(600)
const step = fc.oneof(
  { weight: 9, arbitrary: fc.record({ tag: fc.constant("add" as const), name }) },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant("delete" as const), name }) },
  { weight: 1, arbitrary: fc.record({ tag: fc.constant("forget row" as const), name }) },
  { weight: 3, arbitrary: fc.constant({ tag: "take oldest" as const, name: 0 }) }
)

const entry = (arrival: number): AppliedOperation => ({
  arrival,
  dot: { actor: `n1.0mi8dfxmoabcdef.${arrival.toString(36)}`, counter: arrival },
  row: [arrival, 1]
})

describe("applied operations", () => {
  it("are those that a map in the order of arrival has", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const operations = new AppliedOperations()
      const model = new Model()
      steps.forEach(({ name, tag }, i) => {
        const hash = hashOf(name)
        const before = model.entries.get(name)
        switch (tag) {
          case "add": {
            const dot = { actor: actorOf(name), counter: 1 + i }
            const entry = { arrival: 1 + i, dot, row: [2 ** 40 + i, name] as const }
            operations.delete(hash)
            operations.add(hash, entry)
            model.entries.delete(name)
            return model.entries.set(name, entry)
          }
          case "delete":
            operations.delete(hash)
            return model.entries.delete(name)
          case "forget row":
            operations.forgetRow(hash, i)
            operations.forgetRow(hash, before?.arrival ?? 0)
            return before && model.entries.set(name, { ...before, row: undefined })
          case "take oldest":
            return expect(operations.takeOldest()).toEqual(model.takeOldest())
        }
      })
      expect(operations.size).toBe(model.entries.size)
      for (let i = 0; i <= 600; i++) expect(operations.get(hashOf(i))).toEqual(model.entries.get(i))
      while (model.entries.size > 0) expect(operations.takeOldest()).toEqual(model.takeOldest())
      expect([operations.oldest, operations.takeOldest()]).toEqual([Infinity, undefined])
    }))
  })

  it("take 75 bytes each, however many came before them", () => {
    const operations = new AppliedOperations()
    for (let i = 1; i <= 60_000; i++) {
      operations.add(md5Words(`${i}`), entry(i))
      if (operations.size > 20_000) operations.takeOldest()
    }
    expect(operations.bytes / 20_000).toBeLessThan(75)
    expect(operations.get(md5Words("40000"))).toBeUndefined()
    expect(operations.get(md5Words("40001"))).toEqual(entry(40_001))
  })

  it("take no more where one of them is old and another comes again and again", () => {
    const operations = new AppliedOperations()
    operations.add(md5Words("old"), entry(1))
    for (let i = 2; i <= 20_000; i++) {
      operations.delete(md5Words("again"))
      operations.add(md5Words("again"), entry(i))
    }
    expect(operations.bytes).toBeLessThan(400_000)
    expect(operations.takeOldest()).toEqual(entry(1))
    expect(operations.takeOldest()).toEqual(entry(20_000))
  })
})

describe("numbers of actors", () => {
  it("give each actor back as it was, and forget beginnings that none has", () => {
    const digits = fc.string({ unit: fc.constantFrom("0", "1", "a", "z"), minLength: 1 })
    const actor = fc.tuple(fc.constantFrom("n1", "n2"), digits.filter((d) => d.length <= 11))
      .map(([node, birth]) => `${node}.0mi8dfxmoabcdef.${birth}`)
    fc.assert(fc.property(fc.array(actor), (actors) => {
      const numbers = new ActorNumbers()
      const taken = actors.map((text) => numbers.take(text))
      expect(taken.map((number) => numbers.text(number))).toEqual(actors)
      for (const { beginning } of taken) numbers.give(beginning)
      expect(numbers.size).toBe(0)
    }))
  })
})
