// Checks that edits and bytes are the same thing, that other bytes are refused, and that a document
// which has the base of an edit is sound after it, whichever bytes the edit was read from.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Malformed } from "../../../src/core/codec/Bytes.ts"
import { decode, encode } from "../../../src/core/crdt/DeltaCodec.ts"
import * as Document from "../../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../../src/core/crdt/DocumentCodec.ts"
import * as Edit from "../../../src/core/crdt/Edit.ts"
import { nest } from "../../../src/core/crdt/DotStore.ts"
import { unlessMalformed } from "../codec/unlessMalformed.ts"
import { definitions, histories, type ReachedHistory } from "../reachable.ts"
import { faultsOf, textOf } from "./documents.ts"
import { goldenEdits } from "./goldenEdits.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const editsOf = ({ changes }: ReachedHistory): ReadonlyArray<Edit.Edit> =>
  changes.map(({ before, delta }) => Edit.make([delta], before.context))

/** The least document that covers the base of the first edit. */
const leastFor = ([first]: ReadonlyArray<Edit.Edit>): Document.Document => ({
  ...Document.empty,
  context: first!.base
})

/** Bytes that were read must be edits that leave documents sound, and be written as they were. */
const expectSound = (bytes: Uint8Array): void => {
  const edits = unlessMalformed(() => decode(bytes))
  if (edits === undefined) return
  expect(hex(encode(edits))).toBe(hex(bytes))
  for (const edit of edits) {
    const before = leastFor([edit])
    const canJoin = edit.deltas.every(({ store }, i) =>
      edit.deltas.slice(0, i).every((earlier) =>
        Document.canJoin({ ...before, store }, { ...before, store: earlier.store })
      )
    )
    if (!canJoin) continue
    const after = Edit.apply(before, edit)
    expect(faultsOf(after)).toEqual([])
    expect(textOf(DocumentCodec.decode(DocumentCodec.encode(after).bytes))).toBe(textOf(after))
  }
}

describe.each(definitions)("edits of documents of %s", (_, definition) => {
  it("are read back as written, and do the same", () => {
    fc.assert(
      fc.property(histories(definition), (history) => {
        const edits = editsOf(history)
        if (edits.length === 0) return
        const bytes = encode(edits)
        const read = decode(bytes)
        expect(hex(encode(read))).toBe(hex(bytes))
        for (const [i, { before, after }] of history.changes.entries()) {
          expect(textOf(Edit.apply(before, read[i]!))).toBe(textOf(after))
          expect(read[i]!.base).toEqual(edits[i]!.base)
        }
      })
    )
  })

  it("are refused as `Malformed` or are sound, whichever bits flip", () => {
    fc.assert(
      fc.property(histories(definition), fc.array(fc.nat(), { minLength: 1, maxLength: 2 }), (
        history,
        bits
      ) => {
        const edits = editsOf(history)
        if (edits.length === 0) return
        const bytes = encode(edits.slice(-1))
        for (const choice of bits) {
          const bit = choice % (bytes.length * 8)
          bytes[bit >> 3]! ^= 1 << (bit & 7)
        }
        expectSound(bytes)
      }),
      { numRuns: 500 }
    )
  })
})

describe("bytes that are no edits", () => {
  it("are refused where the end is missing or something follows it", () => {
    for (const edits of Object.values(goldenEdits)) {
      const bytes = encode(edits)
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decode(bytes.subarray(0, length))).toThrow(Malformed)
      }
      expect(() => decode(Uint8Array.of(...bytes, 0))).toThrow(Malformed)
    }
  })

  it("are refused as `Malformed` or are sound, whichever bit of the golden ones flips", () => {
    for (const edits of Object.values(goldenEdits)) {
      const bytes = encode(edits)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expectSound(flipped)
      }
    }
  })

  it("are refused as `Malformed` or are sound where they are noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
        expectSound(Uint8Array.of(1, ...rest))
      }),
      { numRuns: 5_000 }
    )
  })
})

describe("an edit is refused in which", () => {
  const [sound] = goldenEdits["several-operations"]!
  const [addition, removal] = sound!.deltas
  const [wait] = removal!.deferred
  const siblings = addition!.seen.dots.map((dot) => ({ ...dot, stamp: 0, value: "" }))
  const leaf = { kind: "values", siblings } as const
  const deep = Array.from({ length: 32 }, () => "tt")

  it.each<[string, Partial<Document.Delta>]>([
    ["a state has a dot that no document would have after it", {
      seen: { vector: new Map(), dots: [] }
    }],
    ["the path leads through what is no tree", { path: ["va", "vb"], store: undefined }],
    ["the path promises another kind of state", { path: ["ca"], store: nest(["ca"], leaf) }],
    ["a state lies deeper than any tree", {
      path: deep,
      store: nest([...deep, "va"], leaf)
    }],
    ["a removal waits for nothing", {
      deferred: [{ ...wait!, actor: siblings[0]!.actor, counter: 4, seen: sound!.base }]
    }]
  ])("%s", (_, fault) => {
    const edit = { ...sound!, deltas: [{ ...addition!, ...fault }] }
    expect(() => decode(encode([edit]))).toThrow(Malformed)
  })

  it("there is no delta, or where there is no edit", () => {
    expect(() => decode(encode([{ base: new Map(), deltas: [] }]))).toThrow(Malformed)
    expect(() => decode(encode([]))).toThrow(Malformed)
  })
})

const folder = new URL("../../golden/delta-1/", import.meta.url)
const fileOf = (name: string) => new URL(`${name}.hex`, folder)

describe("format delta-1", () => {
  if (process.env["EVERWRITE_REWRITE"] === "1") {
    mkdirSync(folder, { recursive: true })
    for (const [name, edits] of Object.entries(goldenEdits)) {
      writeFileSync(fileOf(name), `${hex(encode(edits))}\n`)
    }
  }

  it("is known by golden bytes, each of which is tested here", () => {
    const files = readdirSync(folder).map((file) => file.replace(".hex", "")).sort()
    expect(files).toEqual(Object.keys(goldenEdits).sort())
  })

  it.each(Object.entries(goldenEdits))("keeps its golden bytes: %s", (name, edits) => {
    const bytes = readFileSync(fileOf(name), "utf8").trim()
    expect(hex(encode(edits))).toBe(bytes)
    expect(decode(Buffer.from(bytes, "hex"))).toEqual(edits)
  })
})
