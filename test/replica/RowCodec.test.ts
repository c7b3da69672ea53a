// Checks that stored rows and documents are the same thing, and that a change writes what changed.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteWriter, Malformed } from "../../src/core/codec/Bytes.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import { Children } from "../../src/core/crdt/Children.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import { childKey, type DotStore, isLive, type Tree } from "../../src/core/crdt/DotStore.ts"
import { joinFields } from "../../src/core/model/DocumentKey.ts"
import type { LocalDocument } from "../../src/replica/LocalDocument.ts"
import * as Row from "../../src/replica/RowCodec.ts"
import type { StoredDocument } from "../../src/storage/Storage.ts"
import { leavesOf, textOf } from "../core/crdt/documents.ts"
import { goldenDocuments, goldenElements } from "../core/crdt/goldenDocuments.ts"
import { definitions, histories } from "../core/reachable.ts"

const own = "n1.0mi8dfxmoabcdef.1"

/** The content of the storage after a change. */
const after = (row: StoredDocument | undefined, change: Row.RowChange): StoredDocument => {
  const elements = new Map(change.dropsElements ? [] : row?.elements)
  for (const [path, bytes] of change.elements) {
    if (bytes === undefined) elements.delete(path)
    else elements.set(path, bytes)
  }
  expect(elements.size).toBe(change.elementCount)
  return { header: change.header, elements, sequence: 1 }
}

const change = (from: Document.Document, to: Document.Document): Row.RowChange =>
  Row.change({ before: from, after: to, encoded: DocumentCodec.encode(to), own })

const rowOf = (document: Document.Document): StoredDocument =>
  after(undefined, change(Document.empty, document))

const hexOf = ({ elements, header }: StoredDocument) => ({
  header: Buffer.from(header).toString("hex"),
  elements: [...elements].map(([path, bytes]) => `${path} ${Buffer.from(bytes).toString("hex")}`)
    .sort()
})

const decoded = (row: StoredDocument): LocalDocument => {
  const held = Row.decode(row)
  if (held instanceof Malformed) throw held
  return held
}

const pick = fc.nat(999)

const atDots = (at: ReadonlyArray<number | null>): Document.Document["expiry"] =>
  at.map((time, i) => ({ actor: own, counter: i + 1, at: time }))

/** Documents with the content that they have, and any expiry. */
const withExpiry = (document: Document.Document, at: ReadonlyArray<number | null>) => ({
  ...document,
  context: VersionVector.join(document.context, new Map([[own, at.length]])),
  expiry: atDots(at)
})

describe.each(definitions)("rows of %s", (_, definition) => {
  it("tell by their header alone when a reader finds something", () => {
    const times = fc.array(fc.option(fc.nat(9)), { maxLength: 2 })
    fc.assert(fc.property(histories(definition), times, ({ documents }, at) => {
      for (const plain of documents) {
        const document = at.length === 0 ? plain : withExpiry(plain, at)
        const liveness = Row.headerLiveness(rowOf(document))
        for (let nowMillis = 0; nowMillis <= 10; nowMillis++) {
          const isFound = isLive(Document.visibleStore(document, nowMillis))
          const isTold = typeof liveness === "object" && "until" in liveness
            ? liveness.until > nowMillis
            : liveness === "always"
          expect(isTold).toBe(isFound)
        }
      }
    }))
  })

  it("give back the document, its digest and the own actor", () => {
    fc.assert(fc.property(histories(definition), ({ documents }) => {
      for (const document of documents) {
        const held = decoded(rowOf(document))
        expect(textOf(held.document)).toBe(textOf(document))
        expect(held.digest).toBe(DocumentCodec.encode(document).digest)
        expect(held.own).toBe(own)
      }
    }))
  })

  it("are the same whichever way the document came about; nothing is left over", () => {
    fc.assert(
      fc.property(histories(definition), fc.array(pick, { minLength: 1 }), (history, way) => {
        let document = Document.empty
        let row: StoredDocument | undefined
        for (const choice of way) {
          const next = history.documents[choice % history.documents.length]!
          row = after(row, change(document, next))
          document = next
          expect(hexOf(row)).toEqual(hexOf(rowOf(document)))
        }
      })
    )
  })

  it("are written anew only in the leaves that a join or an operation changed", () => {
    fc.assert(fc.property(histories(definition), pick, pick, (history, left, right) => {
      const { changes, documents } = history
      const [one, other] = [left, right].map((choice) => documents[choice % documents.length]!)
      const steps = changes.map(({ after, before }) => [before, after] as const)
      for (const [from, to] of [...steps, [one!, Document.join(one!, other!)] as const]) {
        // A removal that waited may take what the join has just brought, and leave an equal leaf.
        if ([from, to, one!, other!].some(({ deferred }) => deferred.length > 0)) continue
        const { elements } = rowOf(from)
        for (const [path, bytes] of change(from, to).elements) {
          const former = elements.get(path)
          expect(former === undefined && bytes === undefined).toBe(false)
          if (former !== undefined && bytes !== undefined) {
            expect(Buffer.compare(former, bytes)).not.toBe(0)
          }
        }
      }
    }))
  })
})

describe("a tree", () => {
  const { context, store } = goldenDocuments["tree"]!

  it("has an element for each leaf, and a header that does not grow with them", () => {
    const row = rowOf({ ...Document.empty, context, store })
    expect(row.elements.size).toBe(leavesOf(store).length)
    expect(row.header.length).toBeLessThan(
      DocumentCodec.encode({ ...Document.empty, context, store }).bytes.length
    )
  })

  it("that became empty leaves no element behind", () => {
    const before = goldenDocuments["tree"]!
    const emptied = { ...before, store: undefined }
    const row = after(rowOf(before), change(before, emptied))
    expect(row.elements.size).toBe(0)
    expect(textOf(decoded(row).document)).toBe(textOf(emptied))
  })

  it("whose leaf gives way to a tree, and back, holds no rows of before", () => {
    const leaf = goldenElements["element-2"].values
    const flat = new Map<string, DotStore>([[childKey("values", "a"), leaf]])
    const inner: Tree = { kind: "tree", children: Children.of(flat) }
    const deep = new Map<string, DotStore>([[childKey("tree", "a"), inner]])
    const [one, other] = [flat, deep].map((children) => ({
      ...goldenDocuments["tree"]!,
      store: { kind: "tree" as const, children: Children.of(children) }
    }))
    const row = after(rowOf(one!), change(one!, other!))
    expect(textOf(decoded(row).document)).toBe(textOf(other!))
    expect(hexOf(after(row, change(other!, one!)))).toEqual(hexOf(rowOf(one!)))
  })
})

describe.each(definitions)("a row of %s", (_, definition) => {
  it("is refused where one of its elements is of another version", () => {
    fc.assert(fc.property(histories(definition), pick, pick, ({ documents }, left, right) => {
      const [one, other] = [left, right].map((choice) => documents[choice % documents.length]!)
      const [row, former] = [rowOf(one!), rowOf(other!)]
      for (const [path, bytes] of row.elements) {
        const earlier = former.elements.get(path)
        if (earlier === undefined || Buffer.compare(earlier, bytes) === 0) continue
        const mixed = { ...row, elements: new Map(row.elements).set(path, earlier) }
        expect(Row.decode(mixed)).toBeInstanceOf(Malformed)
      }
    }))
  })
})

const withHeaderOf3 = (document: Document.Document): StoredDocument => {
  const row = rowOf(document)
  const header = row.header.slice()
  header[0] = 3
  header.set(Buffer.from(DocumentCodec.digestOfBytes(document), "hex"), 1)
  return { ...row, header }
}

describe("a row of format 3, whose digest is of all bytes", () => {
  it.each(Object.entries(goldenDocuments))(
    "is read, with the present digest: %s",
    (_, document) => {
      const held = decoded(withHeaderOf3(document))
      expect(textOf(held.document)).toBe(textOf(document))
      expect(held.digest).toBe(DocumentCodec.encode(document).digest)
    }
  )

  it("is refused where one of its elements is of another version", () => {
    const document = goldenDocuments["tree"]!
    const row = withHeaderOf3(document)
    const [path] = [...row.elements].find(([, bytes]) =>
      DocumentCodec.decodeElement(
        bytes,
        document.context
      ).kind === "values"
    )!
    const other = DocumentCodec.encodeElement(goldenElements["element-2"].values)
    const elements = new Map(row.elements).set(path, other)
    expect(Row.decode({ ...row, elements })).toBeInstanceOf(Malformed)
  })

  it("with the present digest of a tree is refused", () => {
    const row = rowOf(goldenDocuments["tree"]!)
    const header = row.header.slice()
    header[0] = 3
    expect(Row.decode({ ...row, header })).toBeInstanceOf(Malformed)
  })
})

describe("a row is refused as `Malformed`", () => {
  const document = goldenDocuments["tree"]!
  const row = rowOf(document)
  const leaf = DocumentCodec.encodeElement(goldenElements["element-2"].values)

  it("or is a document, whichever bit of its header flips", () => {
    for (let bit = 0; bit < row.header.length * 8; bit++) {
      const header = row.header.slice()
      header[bit >> 3]! ^= 1 << (bit & 7)
      const held = Row.decode({ ...row, header })
      if (!(held instanceof Malformed)) DocumentCodec.encode(held.document)
    }
  })

  it("when its header ends early or goes on", () => {
    for (let length = 0; length < row.header.length; length++) {
      const cut = { ...row, header: row.header.subarray(0, length) }
      expect(Row.decode(cut)).toBeInstanceOf(Malformed)
    }
    expect(Row.decode({ ...row, header: Uint8Array.of(...row.header, 0) })).toBeInstanceOf(
      Malformed
    )
  })

  it("when an element holds a dot that the header's context lacks", () => {
    const { digest } = DocumentCodec.encode(Document.empty)
    const header = new ByteWriter().byte(Row.formatVersion).raw(Buffer.from(digest, "hex")).text("")
      .byte(1).raw(DocumentCodec.encode(Document.empty).bytes).finish()
    expect(Row.decode({ ...row, header })).toBeInstanceOf(Malformed)
  })

  it.each([
    ["that is no path", "x"],
    ["that is empty", ""],
    ["of a number", joinFields([5])],
    ["that promises another kind", joinFields([childKey("counter", "a")])],
    ["that promises a tree", joinFields([childKey("tree", "a")])],
    ["that leads through a leaf", joinFields([childKey("values", "a"), childKey("values", "b")])],
    ["of no kind on its way", joinFields(["x", childKey("values", "b")])]
  ])("when an element has a path %s", (_, path) => {
    expect(Row.decode({ ...row, elements: new Map([[path, leaf]]) })).toBeInstanceOf(Malformed)
  })

  it("when both its header and its elements hold a state", () => {
    const whole = rowOf(goldenDocuments["values"]!)
    const elements = new Map([[joinFields([childKey("values", "a")]), leaf]])
    expect(Row.decode({ ...whole, elements })).toBeInstanceOf(Malformed)
  })
})

describe("the header of a row", () => {
  const livenessAt = 1 + 8 + 1 + own.length

  it.each([
    ["of nothing", Document.empty, "00"],
    ["of a value", goldenDocuments["values"]!, "01"],
    ["of a value that ends", withExpiry(goldenDocuments["values"]!, [300]), "02ac02"]
  ])("%s has the bytes that files have", (_, document, liveness) => {
    const { header } = rowOf(document)
    const { bytes, digest } = DocumentCodec.encode(document)
    const expected = [
      Buffer.of(4),
      Buffer.from(digest, "hex"),
      Buffer.of(own.length),
      Buffer.from(own),
      Buffer.from(liveness, "hex"),
      bytes
    ]
    expect(Buffer.from(header).toString("hex")).toBe(Buffer.concat(expected).toString("hex"))
  })

  it("is refused where it tells another liveness than its document has", () => {
    const row = rowOf(goldenDocuments["values"]!)
    for (const liveness of [0, 3, 255]) {
      const header = row.header.slice()
      header[livenessAt] = liveness
      expect(Row.decode({ ...row, header })).toBeInstanceOf(Malformed)
    }
  })
})
