/**
 * Turns documents into stored rows and back: a header, and for trees a row for each leaf, so that
 * a change in a large document writes only the leaves it changed.
 *
 * ```
 * header = 2, digest (8 bytes), own actor or "", document without the state where that is a tree
 * ```
 *
 * Headers of format 1 have no first byte. They are in documents without a sequence number, which
 * files had as long as headers had that format.
 */
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import type { Document } from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { type EncodedDocument, isFormer } from "../core/crdt/DocumentCodec.ts"
import { childKind, type DotStore, type Tree } from "../core/crdt/DotStore.ts"
import { invariant } from "../core/Invariant.ts"
import { decodeFields, joinFields, MalformedKey } from "../core/model/DocumentKey.ts"
import type { LocalDocument } from "./LocalDocument.ts"
import type { StoredDocument } from "../storage/Storage.ts"

/** Of headers; elements tell their own. */
export const formatVersion = 2

type Elements = Array<readonly [path: string, bytes: Uint8Array | undefined]>

const digestBytes = 8

/** More than stands before the document in any header. */
export const headerRoom = 128

/** The bytes before the document, in a buffer that has room for `more`. */
const startOf = (digest: string, own: string, more: number): ByteWriter =>
  new ByteWriter(2 + digestBytes + own.length + more).byte(formatVersion).hex(digest).text(own)

/** Written right before the document where there is room, which its buffer is then full of. */
const header = (own: string, { bytes, digest, roomBefore = 0 }: EncodedDocument): Uint8Array => {
  if (roomBefore === 0) return startOf(digest, own, bytes.length).raw(bytes).take()
  const start = startOf(digest, own, 0).take()
  invariant(start.length <= roomBefore, "a header fits before its document")
  const whole = new Uint8Array(
    bytes.buffer,
    bytes.byteOffset - start.length,
    start.length + bytes.length
  )
  whole.set(start)
  return whole
}

const writeAll = (store: DotStore, path: ReadonlyArray<string>, into: Elements): void => {
  if (store.kind !== "tree") {
    into.push([joinFields(path), DocumentCodec.encodeElement(store)])
    return
  }
  for (const [key, child] of store.children) writeAll(child, [...path, key], into)
}

const removeAll = (store: DotStore, path: ReadonlyArray<string>, into: Elements): void => {
  if (store.kind !== "tree") {
    into.push([joinFields(path), undefined])
    return
  }
  for (const [key, child] of store.children) removeAll(child, [...path, key], into)
}

/** Leaves that differ; joins return unchanged parts themselves, so identity tells. */
const difference = (
  before: DotStore | undefined,
  after: DotStore | undefined,
  path: ReadonlyArray<string>,
  into: Elements
): void => {
  if (before === after) return
  if (after === undefined) {
    if (before !== undefined) removeAll(before, path, into)
    return
  }
  if (before?.kind !== "tree" || after.kind !== "tree") {
    writeAll(after, path, into)
    return
  }
  let kept = 0
  for (const [key, child] of after.children) {
    const known = before.children.get(key)
    if (known !== undefined) kept++
    if (known !== child) difference(known, child, [...path, key], into)
  }
  if (kept === before.children.size) return
  for (const [key, child] of before.children) {
    if (!after.children.has(key)) removeAll(child, [...path, key], into)
  }
}

const leafCount = (store: DotStore): number => {
  if (store.kind !== "tree") return 1
  let count = 0
  for (const child of store.children.values()) count += leafCount(child)
  return count
}

/** The change of rows for a document that replaces `before`. */
export interface RowChange {
  readonly header: Uint8Array
  readonly elements: Elements
  readonly elementCount: number
  /** Whether the rows that are there are all removed first, since none of its elements is left. */
  readonly dropsElements: boolean
}

/** The change that makes the stored row of `before` that of `after`. */
export const change = (options: {
  readonly before: Document
  readonly after: Document
  readonly encoded: EncodedDocument
  readonly own: string
}): RowChange => {
  const { after, before, encoded, own } = options
  if (after.store?.kind !== "tree") {
    const dropsElements = before.store?.kind === "tree"
    return { header: header(own, encoded), elements: [], elementCount: 0, dropsElements }
  }
  const elements: Elements = []
  difference(before.store, after.store, [], elements)
  const { bytes } = DocumentCodec.encode(after, { withState: false })
  return {
    header: header(own, { bytes, digest: encoded.digest }),
    elements,
    elementCount: leafCount(after.store),
    dropsElements: false
  }
}

/** A tree under construction: names with leaves or trees below them. */
type Growing = Map<string, DotStore | Growing>

const grow = (root: Growing, path: ReadonlyArray<string>, leaf: DotStore): void => {
  let here = root
  for (const key of path.slice(0, -1)) {
    let child = here.get(key)
    if (!(child instanceof Map)) {
      child = new Map()
      here.set(key, child)
    }
    here = child
  }
  here.set(path.at(-1)!, leaf)
}

const grown = (root: Growing): Tree => {
  const children = new Map<string, DotStore>()
  for (const [key, child] of root) children.set(key, child instanceof Map ? grown(child) : child)
  return { kind: "tree", children }
}

const readTree = (stored: StoredDocument, bare: Document): Tree => {
  const root: Growing = new Map()
  for (const [path, bytes] of stored.elements) {
    const keys = decodeFields(path).map(String)
    const leaf = DocumentCodec.decodeElement(bytes, bare.context)
    const last = keys.length - 1
    const fits = keys.every((key, i) => childKind(key) === (i === last ? leaf.kind : "tree"))
    if (!fits || last < 0) throw new Malformed("a leaf of the kind its path promises", 0)
    grow(root, keys, leaf)
  }
  return grown(root)
}

/** The size of a stored document, roughly: keys are not counted. */
export const bytesOf = ({ elements, header }: StoredDocument): number => {
  let bytes = header.length
  for (const element of elements.values()) bytes += element.length
  return bytes
}

/** The document of a stored row, or why its bytes are not one. */
export const decode = (stored: StoredDocument): LocalDocument | Malformed =>
  unlessMalformed(() => {
    const reader = new ByteReader(stored.header)
    if (stored.sequence > 0) readVersion(reader)
    const held = readHeader(reader)
    if (stored.elements.size === 0) return withPresentDigest(held)
    if (held.document.store !== undefined) throw new Malformed("no state beside the elements", 0)
    const document = { ...held.document, store: readTree(stored, held.document) }
    const whole = { ...held, document }
    // An element of an earlier version has a fitting checksum, and makes no state that ever was.
    if ((digestOf(whole) ?? held.digest) !== held.digest) {
      throw new Malformed("the elements of one version", 0)
    }
    return withPresentDigest(whole)
  })

/** A header, and whether its document and digest are of an earlier format. */
interface Held extends LocalDocument {
  readonly isFormer: boolean
}

const digestOf = ({ document, isFormer }: Held): string | undefined =>
  isFormer ? DocumentCodec.formerDigest(document) : DocumentCodec.encode(document).digest

/** With the digest that other replicas know, whichever format the row has. */
const withPresentDigest = ({ digest, document, isFormer, own }: Held): LocalDocument => ({
  document,
  own,
  digest: isFormer ? DocumentCodec.encode(document).digest : digest
})

/** The document of a header that `change` made, without the elements. */
export const decodeHeader = (bytes: Uint8Array): LocalDocument | Malformed =>
  unlessMalformed(() => {
    const reader = new ByteReader(bytes)
    readVersion(reader)
    const { digest, document, own } = readHeader(reader)
    return { digest, document, own }
  })

const readVersion = (reader: ByteReader): void => {
  if (reader.byte("a format version") !== formatVersion) {
    throw new Malformed(`header format ${formatVersion}`, 0)
  }
}

const readHeader = (reader: ByteReader): Held => {
  const digest = reader.hex(digestBytes)
  const own = reader.text("an actor")
  const bytes = reader.raw(reader.remaining)
  return { document: DocumentCodec.decode(bytes), digest, own, isFormer: isFormer(bytes) }
}

const unlessMalformed = (read: () => LocalDocument): LocalDocument | Malformed => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Malformed) return error
    if (error instanceof MalformedKey) return new Malformed("a path", 0)
    throw error
  }
}

/**
 * Whether an arrival breaks a promise: equal contexts mean equal states, and what is wholly known
 * brings nothing.
 */
export const contradicts = (
  held: LocalDocument,
  arrival: {
    readonly document: Document
    readonly joined: Document
    readonly encoded?: EncodedDocument
  }
): boolean => {
  const { document, encoded, joined } = arrival
  if (joined.context !== held.document.context) return false
  if (joined.store !== held.document.store || joined.expiry !== held.document.expiry) return true
  return encoded !== undefined && encoded.digest !== held.digest
    && VersionVector.covers(document.context, held.document.context)
}
