// Checks that the work of one request grows with its operations and its document, and not with the
// product of the two. It counts work, since times say more about the machine.
import { countWork, type Work } from "../tooling/countWork.ts"
import { afterAll, describe, expect, it } from "vitest"
import type { StrategyDefinition, TypeDefinition } from "../../src/core/model/BucketDefinition.ts"
import { Bench, key } from "./bench.ts"

const crdt = (type: TypeDefinition): StrategyDefinition => ({ family: "crdt", type })
const set = crdt({ type: "set" })
const people = crdt({
  type: "map",
  of: { type: "document", fields: { name: { type: "register" }, tags: { type: "set" } } }
})
const visits = crdt({ type: "map", of: { type: "counter" } })

type Calls = ReadonlyArray<readonly [name: string, ...args: ReadonlyArray<unknown>]>

const times = <A>(count: number, make: (i: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i))

const added = (count: number, from = 0): Calls => times(count, (i) => ["add", `e${from + i}`])

/** A replica that holds a document of these operations in memory. */
const holding = (strategy: StrategyDefinition, calls: Calls): Bench => {
  const bench = new Bench({ strategy, cacheBytesMax: 2 ** 30 })
  for (let at = 0; at < calls.length; at += 1_000) {
    bench.begin(calls.slice(at, at + 1_000))
    bench.runtime.runReady()
  }
  return bench
}

const measured: Array<string> = []

const workOf = (title: string, run: () => void): Work => {
  const work = countWork(run)
  measured.push(`${title}: ${work.blocks} blocks, ${work.copied} copied`)
  return work
}

/** A little more than any of these takes: `EVERWRITE_WORK=1` prints the work of each. */
const blocksMax = 1_250_000
/** For each operation and each one before it. */
const copiedForEach = 4

const large = 10_000
const many = 1_000

/** Dots that have not come: removals by this context wait for them. */
const ahead = { vector: new Map([["n9.000000000000000.1", 9]]), stamp: 0 }

interface Sample {
  readonly title: string
  readonly strategy: StrategyDefinition
  readonly before: Calls
  readonly edit: Calls
  readonly seen?: typeof ahead
}

const samples: ReadonlyArray<Sample> = [
  {
    title: "1,000 additions to a set of 10,000",
    strategy: set,
    before: added(large),
    edit: added(many, large)
  },
  {
    title: "1,000 additions of elements that a set of 10,000 has",
    strategy: set,
    before: added(large),
    edit: added(many)
  },
  {
    title: "1,000 removals from a set of 10,000",
    strategy: set,
    before: added(large),
    edit: times(many, (i) => ["remove", `e${i}`])
  },
  {
    title: "one addition to a set of 10,000",
    strategy: set,
    before: added(large),
    edit: added(1, large)
  },
  {
    title: "the deletion of a set of 10,000",
    strategy: set,
    before: added(large),
    edit: [["delete"]]
  },
  {
    title: "1,000 writes into a map of 5,000 documents",
    strategy: people,
    before: times(large / 2, (i) => ["tags.add", `p${i}`, "new"]),
    edit: times(many, (i) => [i % 2 === 0 ? "name.set" : "tags.add", `p${i}`, i])
  },
  {
    title: "1,000 dropped entries of a map of 5,000 documents",
    strategy: people,
    before: times(large / 2, (i) => ["tags.add", `p${i}`, "new"]),
    edit: times(many, (i) => ["drop", `p${i}`])
  },
  {
    title: "1,000 increments in a map of 5,000 counters",
    strategy: visits,
    before: times(large / 2, (i) => ["add", `p${i}`, 1]),
    edit: times(many, (i) => ["add", `p${i}`, 1])
  },
  {
    title: "the deletion of a map of 5,000 counters",
    strategy: visits,
    before: times(large / 2, (i) => ["add", `p${i}`, 1]),
    edit: [["delete"]]
  },
  {
    title: "1,000 removals that wait, from a set of 10,000",
    strategy: set,
    before: added(large),
    edit: times(many, (i) => ["remove", `e${i}`]),
    seen: ahead
  },
  {
    title: "1,000 siblings put beside 1,000 others",
    strategy: { family: "siblings" },
    before: times(many, (i) => ["put", `before ${i}`]),
    edit: times(many, (i) => ["put", i])
  },
  {
    title: "1,000 values put over one another",
    strategy: { family: "lww" },
    before: [["put", "first"]],
    edit: times(many, (i) => ["put", i])
  }
]

afterAll(() => {
  if (process.env["EVERWRITE_WORK"] !== undefined) console.log(measured.join("\n"))
})

describe("the work of one update is bounded", () => {
  it.each(samples)("$title", ({ before, edit, seen, strategy, title }) => {
    const bench = holding(strategy, before)
    const { blocks, copied } = workOf(title, () => {
      const { updated } = bench.begin(edit, seen === undefined ? {} : { seen })
      if (updated._tag !== "Updated") throw new Error(updated._tag)
    })
    expect(blocks).toBeLessThan(blocksMax)
    expect(copied).toBeLessThan(copiedForEach * (before.length + edit.length))
  }, 60_000)
})

describe("a change of one element costs about the same in a document of 100 times as many", () => {
  const one = (strategy: StrategyDefinition, calls: Calls, edit: Calls) => {
    const bench = holding(strategy, calls)
    // The digest of the document, and the summary that it is made of, are there from now on.
    bench.begin(edit)
    return workOf(`${calls.length} elements, of which one changes`, () => {
      for (let i = 0; i < 10; i++) bench.begin(edit)
    })
  }

  it.each(
    [
      ["an addition to a set", set, added(large), [["add", "e5"]]],
      [
        "an increment in a map of counters",
        visits,
        times(large, (i) => ["add", `p${i}`, 1] as const),
        [["add", "p5", 1]]
      ]
    ] as ReadonlyArray<[string, StrategyDefinition, Calls, Calls]>
  )("%s", (_, strategy, calls, edit) => {
    const [small, great] = [one(strategy, calls.slice(0, 100), edit), one(strategy, calls, edit)]
    expect(great.blocks).toBeLessThan(2 * small.blocks)
    expect(great.copied).toBeLessThan(10 * 10)
  }, 60_000)
})

describe("the work of one join is bounded", () => {
  it("of a set of 10,000 in which 1,000 removals wait, with another one", () => {
    const [bench, other] = [holding(set, added(large)), new Bench({ strategy: set, node: "n2" })]
    other.join(bench.document())
    bench.begin(times(many, (i) => ["remove", `e${i}`]), { seen: ahead })
    other.begin(times(many, (i) => ["remove", `e${i}`]), { seen: ahead })
    const document = other.document()
    const { blocks, copied } = workOf("a join with 2,000 removals that wait", () => {
      bench.replica.join({ key, document }, () => {})
    })
    expect(blocks).toBeLessThan(blocksMax)
    expect(copied).toBeLessThan(copiedForEach * (large + 2 * many))
  }, 60_000)

  it("that brings a set of 10,000 what 1,000 removals have waited for", () => {
    const [bench, other] = [holding(set, added(large)), new Bench({ strategy: set, node: "n2" })]
    other.begin(times(many, (i) => ["add", `late ${i}`]))
    const document = other.document()
    const seen = { vector: document.context, stamp: 0 }
    bench.begin(times(many, (i) => ["remove", `late ${i}`]), { seen })
    const { blocks, copied } = workOf("a join that ends 1,000 removals", () => {
      bench.replica.join({ key, document }, () => {})
    })
    expect(bench.document().deferred).toEqual([])
    expect(bench.document().store).toEqual(holding(set, added(large)).document().store)
    expect(blocks).toBeLessThan(blocksMax)
    expect(copied).toBeLessThan(copiedForEach * (large + 2 * many))
  }, 60_000)
})
