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
