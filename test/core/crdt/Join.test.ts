// Checks what storage relies on, that joins leave the unchanged alone, and why registers keep all.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Children } from "../../../src/core/crdt/Children.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import type { DotStore } from "../../../src/core/crdt/DotStore.ts"
import { InvariantViolation } from "../../../src/core/Invariant.ts"
import { replicas } from "../Replica.ts"
import { definitions, threeDocuments } from "../reachable.ts"
import { textOf } from "./documents.ts"

const storeText = (store: DotStore | undefined): string => textOf({ ...Document.empty, store })

/** Parts of `after` that are new objects although they are equal to what was there before. */
const copies = (before: DotStore | undefined, after: DotStore | undefined): number => {
  if (before === after || before === undefined || after === undefined) return 0
  if (storeText(before) === storeText(after)) return 1
  if (before.kind !== "tree" || after.kind !== "tree") return 0
  return [...after.children].reduce(
    (count, [key, child]) => count + copies(before.children.get(key), child),
    0
  )
}

describe.each(definitions)("a join of documents of %s", (_, definition) => {
  it("keeps each unchanged part of the left side itself: only changes are written", () => {
    fc.assert(fc.property(threeDocuments(definition), ([left, right]) => {
      const joined = Document.join(left, right)
      // A value that a waiting removal removes may come and go within one join.
      if (left.deferred.length === 0) expect(copies(left.store, joined.store)).toBe(0)
      if (textOf(joined) === textOf(left)) expect(joined).toBe(left)
    }))
  })

  it("changes neither side", () => {
    fc.assert(fc.property(threeDocuments(definition), ([left, right]) => {
      const before = [textOf(left), textOf(right)]
      Document.join(left, right)
      expect([textOf(left), textOf(right)]).toEqual(before)
    }))
  })
})

const holding = (store: DotStore | undefined): Document.Document => ({ ...Document.empty, store })

describe("documents whose roots are of different kinds", () => {
  const counter = holding({ kind: "counter", totals: new Map() })
  const tree = holding({ kind: "tree", children: Children.empty })

  it("are known before they meet, and stop the work where no caller checked", () => {
    expect(Document.canJoin(counter, tree)).toBe(false)
    expect(Document.canJoin(counter, counter)).toBe(true)
    expect(Document.canJoin(counter, holding(undefined))).toBe(true)
    expect(() => Document.join(counter, tree)).toThrow(InvariantViolation)
  })
})

/** a sets "early", c concurrently "late"; b gets to know "late" alone, and removes it. */
const three = () => {
  const [a, b, c] = replicas({ type: "register" }, "abc")
  a!.operate("set", ["early"])
  c!.operate("set", ["late"], { vector: new Map(), stamp: 5 })
  b!.receive(c!.document).operate("clear", [])
  return [a!.document, b!.document, c!.document] as const
}

/** The join that drops all but the greatest stamp at once. */
const pruned = (left: Document.Document, right: Document.Document): Document.Document => {
  const joined = Document.join(left, right)
  if (joined.store?.kind !== "values") return joined
  const latest = joined.store.siblings.reduce((a, b) => (b.stamp > a.stamp ? b : a))
  return { ...joined, store: { kind: "values", siblings: [latest] } }
}

const values = ({ store }: Document.Document): ReadonlyArray<string> =>
  store?.kind === "values" ? store.siblings.map(({ value }) => value) : []

describe("a register inside a data type", () => {
  it("would depend on the order of joins if they dropped all but the latest value", () => {
    const [a, b, c] = three()
    expect(values(pruned(pruned(a, c), b))).toEqual([])
    expect(values(pruned(a, pruned(c, b)))).toEqual(["\"early\""])
  })

  it("shows the other value when the shown one is removed, in any order of arrival", () => {
    const [a, b, c] = three()
    expect(values(Document.join(a, c))).toEqual(["\"early\"", "\"late\""])
    expect(values(Document.join(Document.join(a, c), b))).toEqual(["\"early\""])
    expect(values(Document.join(a, Document.join(c, b)))).toEqual(["\"early\""])
  })
})
