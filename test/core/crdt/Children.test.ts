// Compares the children of a tree with a plain map, in what they hold, in their order, and in what
// they sum up, after any changes.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Children, type Put } from "../../../src/core/crdt/Children.ts"
import { childKey, type DotStore } from "../../../src/core/crdt/DotStore.ts"
import { sortedKeys } from "../../../src/core/codec/SortedKeys.ts"
import { leavesOf } from "./documents.ts"

const actor = "n1.0mi8dfxmoabcdef.1"

const leaf = (counter: number): DotStore => ({
  kind: "values",
  siblings: [{ actor, counter, stamp: counter, value: "é".repeat(counter % 3) }]
})

/** Few enough that changes meet, and enough for several levels. */
const names = fc.integer({ min: 0, max: 400 })
const counters = fc.integer({ min: 1, max: 9 })
const one: fc.Arbitrary<Put> = fc.tuple(names, fc.option(counters, { nil: undefined }))
  .map(([name, counter]): Put => [
    childKey("values", `${name}`),
    counter === undefined ? undefined : leaf(counter)
  ])

/** Changes in a row: single ones, and removals or additions of whole ranges. */
const range: fc.Arbitrary<ReadonlyArray<Put>> = fc.tuple(names, fc.nat(300), fc.option(counters))
  .map(([from, length, counter]) =>
    Array.from({ length }, (_, i): Put => [
      childKey("values", `${(from + i) % 401}`),
      counter === null ? undefined : leaf(counter)
    ])
  )
const steps = fc.array(fc.oneof(fc.tuple(one), range), { maxLength: 20 })

const put = (model: Map<string, DotStore>, puts: ReadonlyArray<Put>): void => {
  for (const [key, child] of puts) {
    if (child === undefined) model.delete(key)
    else model.set(key, child)
  }
}

const entriesOf = (model: ReadonlyMap<string, DotStore>) =>
  sortedKeys(model).map((key) => [key, model.get(key)!] as const)

/** The versions after each step, with the entries that each should have. */
const versionsOf = (all: ReadonlyArray<ReadonlyArray<Put>>, asksSummaries: boolean) => {
  const model = new Map<string, DotStore>()
  let children = Children.empty
  const versions = [{ children, entries: entriesOf(model) }]
  for (const puts of all) {
    const [only] = puts
    if (puts.length !== 1 || only === undefined) children = children.after(puts)
    else {
      const [key, child] = only
      children = child === undefined ? children.without(key) : children.with(key, child)
    }
    put(model, puts)
    if (asksSummaries) void children.summary
    versions.push({ children, entries: entriesOf(model) })
  }
  return versions
}

const inner = (counter: number): DotStore => ({
  kind: "tree",
  children: Children.of([[childKey("values", "a"), leaf(counter)]])
})

describe("the children of a tree", () => {
  it("are those of a map under the same changes, in order, and no version changes later", () => {
    fc.assert(fc.property(steps, (all) => {
      for (const { children, entries } of versionsOf(all, false)) {
        expect([...children]).toEqual(entries)
        expect(children.size).toBe(entries.length)
        for (const [key, child] of entries) expect(children.get(key)).toBe(child)
        for (const key of ["", "v", "w", "v20x"]) expect(children.has(key)).toBe(false)
      }
    }))
  })

  it("have a summary that depends on their content alone, whichever changes led to it", () => {
    fc.assert(fc.property(steps, fc.boolean(), (all, asks) => {
      for (const { children, entries } of versionsOf(all, asks)) {
        const anew = Children.of(entries)
        expect(children.summary).toEqual(anew.summary)
        expect(children.summary.leaves).toBe(entries.length)
      }
    }))
  })

  it("differ from another version in the children that are not the same there", () => {
    fc.assert(fc.property(steps, fc.nat(), fc.nat(), (all, one, other) => {
      const versions = versionsOf(all, false)
      const [before, after] = [one, other].map((at) => versions[at % versions.length]!)
      const found: Array<unknown> = []
      Children.diff(before!.children, after!.children, (...difference) => found.push(difference))
      const keys = new Set([...before!.children.keys(), ...after!.children.keys()])
      const expected = [...keys].sort()
        .map((key) => [key, before!.children.get(key), after!.children.get(key)])
        .filter(([, left, right]) => left !== right)
      expect(found).toEqual(expected)
    }))
  })

  it("are themselves after a change that changes nothing", () => {
    const children = Children.of(
      Array.from({ length: 100 }, (_, i) => [childKey("values", `${i}`), leaf(1)] as const)
    )
    const key = childKey("values", "7")
    expect(children.with(key, children.get(key)!)).toBe(children)
    expect(children.without("v nowhere")).toBe(children)
    expect(children.after([])).toBe(children)
  })

  it("that are trees are summed up with all that is below them", () => {
    const trees = [1, 2].map((counter) => Children.of([[childKey("tree", "t"), inner(counter)]]))
    const [one, two] = trees
    expect(one!.summary.low).not.toBe(two!.summary.low)
    expect(one!.with(childKey("tree", "t"), inner(2)).summary).toEqual(two!.summary)
    const leaves = trees.flatMap((children) => leavesOf({ kind: "tree", children }))
    expect(leaves.length).toBe(2)
  })
})
