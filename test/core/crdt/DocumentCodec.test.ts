// Checks that documents and bytes are the same thing: one for one, and nothing else is read.
import { readdirSync, readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Malformed } from "../../../src/core/codec/Bytes.ts"
import type { Dot } from "../../../src/core/clock/Dot.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import type { Document } from "../../../src/core/crdt/Document.ts"
import {
  decode,
  decodeElement,
  decodeWithDigest,
  digestOfBytes,
  encode,
  encodeElement,
  formerDigest,
  isFormer
} from "../../../src/core/crdt/DocumentCodec.ts"
import { hasCounter } from "../../../src/core/crdt/DotStore.ts"
import { faultsOf, leavesOf, textOf } from "./documents.ts"
import { formerGoldenFormats, goldenDocuments, goldenElements } from "./goldenDocuments.ts"
import { definitions, documents, histories } from "../reachable.ts"
import { unlessMalformed } from "../codec/unlessMalformed.ts"

const dotOf = ({ actor, counter }: Dot): Dot => ({ actor, counter })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Bytes that were read must be a sound document, and the very bytes that it is written as. */
const expectSound = (bytes: Uint8Array): void => {
  const document = unlessMalformed(() => decode(bytes))
  if (document === undefined) return
  expect(faultsOf(document)).toEqual([])
  const { bytes: written, digest } = encode(document)
  if (!isFormer(bytes)) expect(hex(written)).toBe(hex(bytes))
  expect(textOf(decode(written))).toBe(textOf(document))
  expect(decodeWithDigest(bytes).digest).toBe(digest)
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

  it("have equal bytes and digests exactly where they are equal", () => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      const known = documents.map((document) => ({
        text: textOf(document),
        bytes: hex(encode(document).bytes),
        digest: encode(document).digest
      }))
      for (const one of known) {
        for (const other of known) {
          expect(one.bytes === other.bytes).toBe(one.text === other.text)
          expect(one.digest === other.digest).toBe(one.text === other.text)
        }
      }
    }))
  })

  it("can be written without their state, and with each leaf of it as an element", () => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      for (const document of documents) {
        const bare = decode(encode({ ...document, store: undefined }).bytes)
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

const folderOf = (format: string) => new URL(`../../golden/${format}/`, import.meta.url)

const golden = (format: string, name: string) => {
  const text = readFileSync(new URL(`${name}.hex`, folderOf(format)), "utf8")
  const [bytes = "", digest = ""] = text.split("\n")
  return { bytes, digest }
}

const namesIn = (format: string): ReadonlyArray<string> =>
  readdirSync(folderOf(format)).map((file) => file.replace(".hex", "")).sort()

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
    const format = fc.constantFrom(1, 2, 3)
    const noise = fc.tuple(format, fc.uint8Array({ maxLength: 40 }))
      .map(([format, bytes]) => Uint8Array.of(format, ...bytes))
    fc.assert(fc.property(noise, expectSound), { numRuns: 1000 })
    expect(() => decode(Uint8Array.of(4, 0, 0, 0, 0))).toThrow(
      "expected document format 1, 2 or 3 at byte 0"
    )
  })

  it("are refused as elements likewise", () => {
    const context = goldenDocuments["tree"]!.context
    for (const leaf of Object.values(goldenElements["element-2"])) {
      const bytes = encodeElement(leaf)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const store = unlessMalformed(() => decodeElement(flipped, context))
        // The first byte may name the earlier format.
        const isOther = flipped[0] !== bytes[0]
        if (store !== undefined && !isOther) expect(hex(encodeElement(store))).toBe(hex(flipped))
      }
    }
  })

  it("are refused where trees are nested deeper than any type", () => {
    const nested = Array.from({ length: 10_000 }, () => [4, 1, 1, 0x74]).flat()
    const bytes = Uint8Array.of(3, 0, 0, ...nested, 0, 0)
    expect(() => decode(bytes)).toThrow("trees at most 32 deep")
  })
})

describe("a document is refused in which", () => {
  const sound = goldenDocuments["deferrals"]!
  const { context, deferred } = sound
  const [early, late] = [deferred[0]!, deferred[1]!]
  const [sets, lifts] = [{ ...dotOf(early), at: 5 }, { ...dotOf(late), at: null }]
  const beyond = new Map([...context].map(([actor, counter]) => [actor, counter - 1]))

  it.each<[string, Partial<Document>]>([
    ["a state has a dot outside the context", { context: beyond, deferred: [] }],
    ["a deferral is not in the context", { deferred: [{ ...early, counter: 4 }] }],
    ["a deferral waits for nothing", { deferred: [{ ...early, seen: context }] }],
    ["deferrals are out of order", { deferred: [late, early] }],
    ["a deferral is there twice", { deferred: [early, early] }],
    ["the path of a deferral leads nowhere", { deferred: [{ ...early, path: ["x"] }] }],
    ["the path of a deferral is deeper than any tree", {
      deferred: [{ ...early, path: Array.from({ length: 33 }, () => "ta") }]
    }],
    ["an expiry entry is not in the context", { expiry: [{ ...sets, counter: 4 }] }],
    ["expiry entries are out of order", { expiry: [lifts, sets] }],
    ["an expiry entry is there twice", { expiry: [sets, sets] }]
  ])("%s", (_, fault) => {
    const document = { ...sound, ...fault }
    expect(faultsOf(document)).not.toEqual([])
    expect(() => decode(encode(document).bytes)).toThrow(Malformed)
  })

  it("an expiry entry has a time and says that it has none, or the other way round", () => {
    const { bytes } = encode({ ...goldenDocuments["tombstone"]!, expiry: [{ ...sets, at: 0 }] })
    const flag = bytes.length - 2
    for (const [at, value] of [[flag, 0], [flag, 2]] as const) {
      expect(() => decode(bytes.with(at, value))).toThrow(Malformed)
    }
  })
})

describe.each(Object.entries(formerGoldenFormats))("format %s", (format, known) => {
  it("is known by golden bytes, each of which is tested here", () => {
    expect(namesIn(format)).toEqual(Object.keys(known).sort())
  })

  it.each(Object.entries(known))("reads its golden bytes without ids: %s", (name, document) => {
    const { bytes, digest } = golden(format, name)
    expect(textOf(decode(Buffer.from(bytes, "hex")))).toBe(textOf(document))
    // Of counters, the two sums that the digest was made of are not known any more.
    expect(formerDigest(document)).toBe(hasCounter(document.store) ? undefined : digest)
    expect(decodeWithDigest(Buffer.from(bytes, "hex")).digest).toBe(encode(document).digest)
  })
})

describe("format document-3", () => {
  it("is known by golden bytes, each of which is tested here", () => {
    expect(namesIn("document-3")).toEqual(Object.keys(goldenDocuments).sort())
  })

  it.each(Object.entries(goldenDocuments))("keeps its golden bytes: %s", (name, document) => {
    const { bytes, digest } = golden("document-3", name)
    expect(textOf(decode(Buffer.from(bytes, "hex")))).toBe(textOf(document))
    expect(decodeWithDigest(Buffer.from(bytes, "hex")).digest).toBe(encode(document).digest)
    expect(hex(encode(document).bytes)).toBe(bytes)
    // Of trees too, the digest of all bytes is what rows have that were written before the sums.
    expect(digestOfBytes(document)).toBe(digest)
    if (document.store?.kind !== "tree") expect(encode(document).digest).toBe(digest)
  })
})

describe.each(Object.entries(goldenElements))("format %s", (format, known) => {
  it("is known by golden bytes, each of which is tested here", () => {
    expect(namesIn(format)).toEqual(Object.keys(known).sort())
  })

  it.each(Object.entries(known))("reads its golden bytes: %s", (name, leaf) => {
    const { bytes } = golden(format, name)
    const { context } = goldenDocuments["tree"]!
    const decoded = decodeElement(Buffer.from(bytes, "hex"), context)
    expect(hex(encodeElement(decoded))).toBe(hex(encodeElement(leaf)))
    if (format === "element-2") expect(hex(encodeElement(leaf))).toBe(bytes)
  })
})
