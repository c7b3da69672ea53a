// Checks the base of all else: joins form a semilattice over every state that replicas reach.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import { encode } from "../../../src/core/crdt/DocumentCodec.ts"
import { definitions, histories, threeDocuments } from "../reachable.ts"
import { textOf } from "./documents.ts"

describe.each(definitions)("documents of %s", (_, definition) => {
  it("join alike in every order and grouping, and any number of times", () => {
    fc.assert(fc.property(threeDocuments(definition), ([a, b, c]) => {
      const ab = Document.join(a, b)
      expect(textOf(Document.join(b, a))).toBe(textOf(ab))
      expect(textOf(Document.join(a, Document.join(b, c)))).toBe(textOf(Document.join(ab, c)))
      expect(Document.join(ab, a)).toBe(ab)
      expect(Document.join(ab, b)).toBe(ab)
    }))
  })

  it("have equal states where they have equal contexts", () => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      const digests = new Map<string, string>()
      for (const document of documents) {
        const context = JSON.stringify(VersionVector.sorted(document.context))
        const { digest } = encode(document)
        expect(digests.get(context) ?? digest).toBe(digest)
        digests.set(context, digest)
      }
    }))
  })

  it("become the same by a delta as by the whole state that it led to", () => {
    fc.assert(fc.property(histories(definition), ({ changes, documents }) => {
      for (const { after, before, delta } of changes) {
        for (const other of documents) {
          if (!VersionVector.covers(other.context, before.context)) continue
          const applied = Document.apply(other, delta)
          expect(encode(applied).digest).toBe(encode(Document.join(other, after)).digest)
          expect(Document.apply(applied, delta)).toBe(applied)
        }
      }
    }))
  })
})

const holding = (ids: ReadonlyArray<Document.AppliedId>): Document.Document =>
  ids.reduce((document, id) => Document.withId(document, id), Document.empty)

/** As many ids as a document keeps, the first issued at `at`. */
const idsFrom = (at: number): ReadonlyArray<Document.AppliedId> =>
  Array.from({ length: Document.idsMax }, (_, i) => (
    { session: "s", sequence: at + i, at: at + i, actor: "a", counter: at + i + 1 }
  ))

describe("the ids of a document", () => {
  const id = fc.record({
    session: fc.constantFrom("s", "t"),
    sequence: fc.nat(5),
    at: fc.nat(500),
    actor: fc.constantFrom("a", "b"),
    counter: fc.integer({ min: 1, max: 9 })
  })
  const many = fc.array(id, { maxLength: 400, size: "max" })

  it("are the newest 256 of all that were joined, in any order", () => {
    fc.assert(
      fc.property(many, many, many, (a, b, c) => {
        const [x, y, z] = [holding(a), holding(b), holding(c)]
        const joined = Document.join(Document.join(x, y), z)
        expect(textOf(Document.join(z, Document.join(y, x)))).toBe(textOf(joined))
        const newest = [...a, ...b, ...c].toSorted(Document.compareIds)
          .filter((id, i, all) => i === 0 || Document.compareIds(all[i - 1]!, id) !== 0)
          .slice(-Document.idsMax)
        expect(joined.ids).toEqual(newest)
      }),
      // Shrinking hundreds of ids would take minutes and tell nothing.
      { numRuns: 20, endOnFailure: true }
    )
  })

  it("are left alone by older ones that would not be kept", () => {
    const newer = holding(idsFrom(1000))
    expect(Document.join(newer, holding(idsFrom(0)))).toBe(newer)
  })

  it("answer for the operation they name, whichever node applied it and when", () => {
    const known = { session: "s", sequence: 3, at: 100, actor: "a", counter: 7 }
    const document = holding([known])
    expect(Document.findId(document, { session: "s", sequence: 3, at: 999 })).toBe(known)
    expect(Document.findId(document, { session: "s", sequence: 4, at: 100 })).toBeUndefined()
    expect(Document.findId(document, { session: "t", sequence: 3, at: 100 })).toBeUndefined()
  })

  it("are kept for twice the time in which a retry is accepted, and then go", () => {
    const known = { session: "s", sequence: 3, at: 100, actor: "a", counter: 7 }
    const document = holding([known])
    expect(Document.idKeptMillis).toBe(2 * Document.idRefusedAfterMillis)
    expect(Document.withoutOldIds(document, 100 + Document.idKeptMillis)).toBe(document)
    expect(Document.withoutOldIds(document, 101 + Document.idKeptMillis).ids).toEqual([])
  })
})
