// Checks that digest and size of a document, which are known without its bytes, are those of all
// its content.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import type { Document } from "../../../src/core/crdt/Document.ts"
import { encode, lengthOf } from "../../../src/core/crdt/DocumentCodec.ts"
import { childKey, nest } from "../../../src/core/crdt/DotStore.ts"
import { definitions, histories } from "../reachable.ts"
import { textOf } from "./documents.ts"
import { goldenDocuments } from "./goldenDocuments.ts"

const folder = new URL("../../golden/digest-2/", import.meta.url)

describe("the size of an encoded document", () => {
  /** Histories in which indexes of actors take more than one byte. */
  const others = new Map(Array.from({ length: 200 }, (_, i) => [`a${i}.000000000000001.1`, 1]))

  it.each(definitions)("of %s is known without its bytes", (_, definition) => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      for (const document of [...documents, ...Object.values(goldenDocuments)]) {
        const encoded = encode(document)
        expect(lengthOf(encoded)).toBe(encoded.bytes.length)
      }
    }))
  })

  it.each(definitions)(
    "of %s with many actors is no less than that of its bytes",
    (_, definition) => {
      fc.assert(fc.property(histories(definition), ({ documents }) => {
        for (const document of documents) {
          const context = VersionVector.join(document.context, others)
          const encoded = encode({ ...document, context })
          const { bytes: { length } } = encoded
          expect(lengthOf(encoded)).toBeGreaterThanOrEqual(length)
          expect(lengthOf(encoded)).toBeLessThan(length + 1 + length / 3)
        }
      }))
    }
  )
})

describe("digests", () => {
  /** Every shape of state inside a tree. */
  const nested = Object.entries(goldenDocuments).flatMap(([name, document]) => {
    const { store } = document
    if (store === undefined) return []
    return [[`${name}-nested`, { ...document, store: nest([childKey(store.kind, "é")], store) }]]
  }) as ReadonlyArray<[string, Document]>
  const all = [...nested, ...Object.entries(goldenDocuments)]

  it("are known by golden ones, each of which is tested here", () => {
    expect(readdirSync(folder).sort()).toEqual(all.map(([name]) => `${name}.txt`).sort())
  })

  it.each(all)("of %s are the golden one", (name, document) => {
    const { digest } = encode(document)
    const file = new URL(`${name}.txt`, folder)
    if (process.env["EVERWRITE_REWRITE"] !== undefined) writeFileSync(file, `${digest}\n`)
    expect(readFileSync(file, "utf8")).toBe(`${digest}\n`)
  })

  it("differ with every part of a document", () => {
    const digests = all.map(([, document]) => encode(document).digest)
    expect(new Set(digests).size).toBe(new Set(all.map(([, document]) => textOf(document))).size)
  })
})
