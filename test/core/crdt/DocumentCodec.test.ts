// Checks that documents and bytes are the same thing: one for one, and nothing else is read.
import { readdirSync, readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Malformed } from "../../../src/core/codec/Bytes.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import type { Document } from "../../../src/core/crdt/Document.ts"
import {
  decode,
  decodeElement,
  encode,
  encodeElement
} from "../../../src/core/crdt/DocumentCodec.ts"
import { faultsOf, leavesOf, textOf } from "./documents.ts"
import { goldenDocuments, goldenElements } from "./goldenDocuments.ts"
import { definitions, documents, histories } from "../reachable.ts"
import { unlessMalformed } from "../codec/unlessMalformed.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Bytes that were read must be a sound document, and the very bytes that it is written as. */
const expectSound = (bytes: Uint8Array): void => {
  const document = unlessMalformed(() => decode(bytes))
  if (document === undefined) return
  expect(faultsOf(document)).toEqual([])
  expect(hex(encode(document).bytes)).toBe(hex(bytes))
}

describe.each(definitions)("documents of %s", (_, definition) => {
  it("are read back as written", () => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      for (const document of documents) {
        const { bytes } = encode(document)
        expect(textOf(decode(bytes))).toBe(textOf(document))
        expect(hex(encode(decode(bytes)).bytes)).toBe(hex(bytes))
        expect(faultsOf(document)).toEqual([])
      }
    }))
  })

  it(
    "have equal bytes exactly where they are equal, and equal digests where all but the "
      + "ids is",
    () => {
      fc.assert(fc.property(histories(definition), ({ documents }) => {
        const known = documents.map((document) => ({
          text: textOf(document),
          bare: textOf({ ...document, ids: [] }),
          bytes: hex(encode(document).bytes),
          digest: encode(document).digest
        }))
        for (const one of known) {
          for (const other of known) {
            expect(one.bytes === other.bytes).toBe(one.text === other.text)
            expect(one.digest === other.digest).toBe(one.bare === other.bare)
          }
        }
      }))
    }
  )

  it("can be written without their state, and with each leaf of it as an element", () => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      for (const document of documents) {
        const bare = decode(encode(document, { withState: false }).bytes)
        expect(textOf(bare)).toBe(textOf({ ...document, store: undefined }))
        for (const leaf of leavesOf(document.store)) {
          const bytes = encodeElement(leaf)
          expect(textOf({ ...bare, store: decodeElement(bytes, bare.context) }))
            .toBe(textOf({ ...bare, store: leaf }))
          expect(() => decodeElement(bytes, VersionVector.empty)).toThrow(Malformed)
        }
      }
    }))
  })
})

describe("bytes that are no document", () => {
  it("are refused where the end is missing or something follows it", () => {
    fc.assert(
      fc.property(documents, fc.uint8Array({ minLength: 1, maxLength: 3 }), (document, more) => {
        const { bytes } = encode(document)
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decode(bytes.subarray(0, length))).toThrow(Malformed)
        }
        expect(() => decode(Uint8Array.of(...bytes, ...more))).toThrow(Malformed)
      })
    )
  })

  it(
    "are refused as `Malformed` or are a sound document, whichever bit of a document "
      + "flips",
    () => {
      for (const document of Object.values(goldenDocuments)) {
        const { bytes } = encode(document)
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const flipped = bytes.slice()
          flipped[bit >> 3]! ^= 1 << (bit & 7)
          expectSound(flipped)
        }
      }
    }
  )

  it(
    "are refused as `Malformed` or are a sound document, however a document is cut and "
      + "mended",
    () => {
      const edits = fc.array(
        fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) }),
        { minLength: 1, maxLength: 3 }
      )
      fc.assert(
        fc.property(documents, edits, (document, edits) => {
          let bytes = encode(document).bytes
          for (const { at, insert, remove } of edits) {
            const start = at % bytes.length
            bytes = Uint8Array.of(
              ...bytes.slice(0, start),
              ...insert,
              ...bytes.slice(start + remove)
            )
          }
          expectSound(bytes)
        }),
        { numRuns: 1000 }
      )
    }
  )

  it("are refused as `Malformed` or are a sound document when they are noise", () => {
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(1, ...bytes))
    fc.assert(fc.property(noise, expectSound), { numRuns: 1000 })
    expect(() => decode(Uint8Array.of(2, 0, 0, 0, 0))).toThrow(
      "expected document format 1 at byte 0"
    )
  })

  it("are refused as elements likewise", () => {
    const context = goldenDocuments["tree"]!.context
    for (const leaf of Object.values(goldenElements)) {
      const bytes = encodeElement(leaf)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const store = unlessMalformed(() => decodeElement(flipped, context))
        if (store !== undefined) expect(hex(encodeElement(store))).toBe(hex(flipped))
      }
    }
  })

  it("are refused where trees are nested deeper than any type", () => {
    const nested = Array.from({ length: 10_000 }, () => [4, 1, 1, 0x74]).flat()
    const bytes = Uint8Array.of(1, 0, 0, ...nested, 0, 0)
    expect(() => decode(bytes)).toThrow("trees at most 32 deep")
  })
})

describe("a document is refused in which", () => {
  const { context, deferred, ids, store } = goldenDocuments["deferrals"]!
  const [early, late] = [deferred[0]!, deferred[1]!]
  const id = goldenDocuments["ids"]!.ids[0]!
  const beyond = new Map([...context].map(([actor, counter]) => [actor, counter - 1]))

  it.each<[string, Document]>([
    ["a state has a dot outside the context", { context: beyond, store, deferred: [], ids }],
    ["a deferral is not in the context", {
      context,
      store,
      deferred: [{ ...early, counter: 4 }],
      ids
    }],
    ["a deferral waits for nothing", {
      context,
      store,
      deferred: [{ ...early, seen: context }],
      ids
    }],
    ["deferrals are out of order", { context, store, deferred: [late, early], ids }],
    ["a deferral is there twice", { context, store, deferred: [early, early], ids }],
    ["the path of a deferral leads nowhere", {
      context,
      store,
      deferred: [{ ...early, path: ["x"] }],
      ids
    }],
    ["the path of a deferral is deeper than any tree", {
      context,
      store,
      deferred: [{ ...early, path: Array.from({ length: 33 }, () => "ta") }],
      ids
    }],
    ["an id is of a dot outside the context", {
      context,
      store,
      deferred,
      ids: [{ ...id, counter: 1000 }]
    }],
    ["ids are out of order", { context, store, deferred, ids: [{ ...id, at: id.at + 1 }, id] }],
    ["there are more ids than a document keeps", {
      context,
      store,
      deferred,
      ids: Array.from({ length: 257 }, (_, sequence) => ({ ...id, sequence }))
    }]
  ])("%s", (_, document) => {
    expect(faultsOf(document)).not.toEqual([])
    expect(() => decode(encode(document).bytes)).toThrow(Malformed)
  })
})

describe("document format 1", () => {
  const folder = new URL("../../golden/document-format-1/", import.meta.url)
  const golden = (name: string) => {
    const [bytes = "", digest = ""] = readFileSync(new URL(`${name}.hex`, folder), "utf8").split(
      "\n"
    )
    return { bytes, digest }
  }

  it("is known by golden bytes, each of which is tested here", () => {
    const names = [...Object.keys(goldenDocuments), ...Object.keys(goldenElements)]
    expect(readdirSync(folder).sort()).toEqual(names.map((name) => `${name}.hex`).sort())
  })

  it.each(Object.entries(goldenDocuments))(
    "reads and writes its golden bytes: %s",
    (name, document) => {
      const { bytes, digest } = golden(name)
      expect(textOf(decode(Buffer.from(bytes, "hex")))).toBe(textOf(document))
      expect(hex(encode(document).bytes)).toBe(bytes)
      expect(encode(document).digest).toBe(digest)
    }
  )

  it.each(Object.entries(goldenElements))("reads and writes its golden bytes: %s", (name, leaf) => {
    const { bytes } = golden(name)
    const { context } = goldenDocuments["tree"]!
    const decoded = decodeElement(Buffer.from(bytes, "hex"), context)
    expect(hex(encodeElement(decoded))).toBe(bytes)
    expect(hex(encodeElement(leaf))).toBe(bytes)
  })
})
