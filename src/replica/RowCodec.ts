/**
 * Turns documents into stored rows and back: a header, and for trees a row for each leaf, so that
 * a change in a large document writes only the leaves it changed.
 *
 * ```
 * header   = 4, digest (8 bytes), own actor or "", liveness, document without the state where that
 *            is a tree
 * liveness = 0 where a reader finds nothing, 1 where there is something, 2 and a time where it ends
 *            then
 * ```
 *
 * Liveness stands before the document, so that a listing reads neither it nor the elements.
 *
 * Headers of format 3 have the digest of all bytes of trees, too. Those of format 2 have no
 * liveness either. Those of format 1 have no first byte; they are in documents without a sequence
 * number, which files had as long as headers had that format.
 */
import { textLength, varintLength } from "../core/codec/EncodedLength.ts"
import { ByteReader, ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import * as VersionVector from "../core/clock/VersionVector.ts"
import { type Document, expiresAt } from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { type EncodedDocument, EncodedTree, isFormer } from "../core/crdt/DocumentCodec.ts"
import { Children } from "../core/crdt/Children.ts"
import { childKind, type DotStore, isLive, type Tree } from "../core/crdt/DotStore.ts"
import { invariant } from "../core/Invariant.ts"
import { decodeFields, joinFields, MalformedKey } from "../core/model/DocumentKey.ts"
import { documentOf, type LocalDocument, type LocalRead } from "./LocalDocument.ts"
import type { StoredDocument } from "../storage/Storage.ts"

/** Of headers; elements tell their own. */
export const formatVersion = 4

const formerVersions = { withoutLiveness: 2, withoutSums: 3 } as const

/**
 * When a reader finds something in a document: never, for ever, or until a time in milliseconds
 * since 1970.
 */
export type Liveness = "never" | "always" | { readonly until: number }

/** The liveness of a document as it is. */
export const livenessOf = (document: Document): Liveness => {
  if (!isLive(document.store)) return "never"
  const until = expiresAt(document)
  return until === undefined ? "always" : { until }
}

/** The same of what is here; `damaged` where that cannot be read. */
export const livenessIn = (local: LocalRead): Liveness | "damaged" =>
  local._tag === "Damaged" ? "damaged" : livenessOf(documentOf(local))

const writeLiveness = (writer: ByteWriter, liveness: Liveness): ByteWriter => {
  if (liveness === "never") return writer.byte(0)
  return liveness === "always" ? writer.byte(1) : writer.byte(2).varint(liveness.until)
}

const readLiveness = (reader: ByteReader): Liveness => {
  const at = reader.offset
  switch (reader.byte("the liveness of a document")) {
    case 0:
      return "never"
    case 1:
      return "always"
    case 2:
      return { until: reader.varint("the end of a document") }
    default:
      throw new Malformed("the liveness of a document", at)
  }
}

const isSame = (left: Liveness, right: Liveness): boolean =>
  typeof left === "string" || typeof right === "string"
    ? left === right
    : left.until === right.until

const none: ReadonlyArray<never> = []

type Elements = Array<readonly [path: string, bytes: Uint8Array | undefined]>

const digestBytes = 8

/** More than stands before the document in any header. */
export const headerRoom = 128

/** The parts of a header before the document. */
interface Start {
  readonly own: string
  readonly liveness: Liveness
}

/** Bytes of the start of a header. */
const startLength = ({ liveness, own }: Start): number => {
  const ofLiveness = typeof liveness === "string" ? 1 : 1 + varintLength(liveness.until)
  return 1 + digestBytes + textLength(own) + ofLiveness
}

/** Written right before the document where there is room, which its buffer is then full of. */
const header = (before: Start, { bytes, digest, roomBefore = 0 }: EncodedDocument): Uint8Array => {
  const room = startLength(before)
  const writer = roomBefore === 0
    ? ByteWriter.passing(room + bytes.length)
    : new ByteWriter(roomWith(bytes, room, roomBefore))
  writeLiveness(writer.byte(formatVersion).hex(digest).text(before.own), before.liveness)
  const isInPlace = writer.length === room && writer.capacity === room + bytes.length
  invariant(isInPlace, "the start of a header takes the room that was counted")
  return (roomBefore === 0 ? writer.raw(bytes) : writer.skip(bytes.length)).take()
}

/** The bytes with as many before them in their buffer. */
const roomWith = (bytes: Uint8Array, room: number, roomBefore: number): Uint8Array<ArrayBuffer> => {
  const { buffer, byteOffset, length } = bytes
  invariant(room <= roomBefore, "a header fits before its document")
  invariant(buffer instanceof ArrayBuffer, "the bytes of a document belong to this thread")
  return new Uint8Array(buffer, byteOffset - room, room + length)
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
  Children.diff(before.children, after.children, (key, known, child) => {
    difference(known, child, [...path, key], into)
  })
}

/** The change of rows for a document that replaces `before`. */
export interface RowChange {
  readonly header: Uint8Array
  readonly elements: Readonly<Elements>
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
  const start = { own, liveness: livenessOf(after) }
  if (after.store?.kind !== "tree") {
    const dropsElements = before.store?.kind === "tree"
    return { header: header(start, encoded), elements: none, elementCount: 0, dropsElements }
  }
  const elements: Elements = []
  difference(before.store, after.store, [], elements)
  const { head } = encoded instanceof EncodedTree
    ? encoded
    : DocumentCodec.encodeTree(after, after.store)
  return {
    header: header(start, { bytes: head, digest: encoded.digest }),
    elements,
    elementCount: after.store.children.summary.leaves,
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
  const children: Array<readonly [string, DotStore]> = []
  for (const [key, child] of root) children.push([key, child instanceof Map ? grown(child) : child])
  return { kind: "tree", children: Children.of(children) }
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
    const held = readHeader(new ByteReader(stored.header), { isFirst: stored.sequence === 0 })
    if (stored.elements.size === 0) return withPresentDigest(checked(held))
    if (held.document.store !== undefined) throw new Malformed("no state beside the elements", 0)
    const document = { ...held.document, store: readTree(stored, held.document) }
    const whole = checked({ ...held, document })
    // An element of an earlier version has a fitting checksum, and makes no state that ever was.
    if ((digestOf(whole) ?? held.digest) !== held.digest) {
      throw new Malformed("the elements of one version", 0)
    }
    return withPresentDigest(whole)
  })

/** A header, with the earlier format that its digest is of: of the document, or of the header. */
interface Held extends LocalDocument {
  readonly former: "document" | "header" | undefined
  /** Undefined where the header's format has none. */
  readonly liveness: Liveness | undefined
}

/** A document whose liveness is not what its header says makes no listing that is true. */
const checked = (held: Held): Held => {
  const { document, liveness } = held
  if (liveness !== undefined && !isSame(liveness, livenessOf(document))) {
    throw new Malformed("the liveness of the document", 0)
  }
  return held
}

const digestOf = ({ document, former }: Held): string | undefined => {
  if (former === "document") return DocumentCodec.formerDigest(document)
  return former === "header"
    ? DocumentCodec.digestOfBytes(document)
    : DocumentCodec.encode(document).digest
}

/** With the digest that other replicas know, whichever format the row has. */
const withPresentDigest = ({ digest, document, former, own }: Held): LocalDocument => ({
  document,
  own,
  digest: former === undefined ? digest : DocumentCodec.encode(document).digest
})

/** The document of a header that `change` made, without the elements. */
export const decodeHeader = (bytes: Uint8Array): LocalDocument | Malformed =>
  unlessMalformed(() => {
    const { digest, document, own } = readHeader(new ByteReader(bytes), { isFirst: false })
    return { digest, document, own }
  })

/**
 * The liveness that a stored header tells, without a look at the document; undefined where its
 * format tells none.
 */
export const headerLiveness = (
  { header, sequence }: Pick<StoredDocument, "header" | "sequence">
): Liveness | Malformed | undefined =>
  unlessMalformed(() => readStart(new ByteReader(header), { isFirst: sequence === 0 }).liveness)

/** The digest that a stored header tells; undefined where it is not the one others know. */
export const headerDigest = (
  { header, sequence }: Pick<StoredDocument, "header" | "sequence">
): string | undefined => {
  const told = unlessMalformed(() => {
    const reader = new ByteReader(header)
    const { digest, version } = readStart(reader, { isFirst: sequence === 0 })
    const isPresent = version === formatVersion && !isFormer(reader.raw(reader.remaining))
    return isPresent ? digest : undefined
  })
  return typeof told === "string" ? told : undefined
}

const readStart = (reader: ByteReader, { isFirst }: { readonly isFirst: boolean }) => {
  const version = isFirst ? 1 : reader.byte("a format version")
  if (!isFirst && (version < formerVersions.withoutLiveness || version > formatVersion)) {
    throw new Malformed(`header format ${formatVersion}`, 0)
  }
  const digest = reader.hex(digestBytes)
  const own = reader.text("an actor")
  const hasLiveness = version >= formerVersions.withoutSums
  return { digest, own, version, liveness: hasLiveness ? readLiveness(reader) : undefined }
}

/** `isFirst`: it is of format 1. */
const readHeader = (reader: ByteReader, options: { readonly isFirst: boolean }): Held => {
  const { version, ...start } = readStart(reader, options)
  const bytes = reader.raw(reader.remaining)
  const ofHeader = version < formatVersion ? "header" : undefined
  const former = isFormer(bytes) ? "document" : ofHeader
  return { ...start, document: DocumentCodec.decode(bytes), former }
}

const unlessMalformed = <A>(read: () => A): A | Malformed => {
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
  joined: Document,
  /** Undefined of changes that came without their document. */
  whole: { readonly document: Document; readonly encoded?: EncodedDocument } | undefined
): boolean => {
  if (joined.context !== held.document.context) return false
  if (joined.store !== held.document.store || joined.expiry !== held.document.expiry) return true
  return whole?.encoded !== undefined && whole.encoded.digest !== held.digest
    && VersionVector.covers(whole.document.context, held.document.context)
}
