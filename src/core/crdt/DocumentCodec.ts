/**
 * Writes documents as bytes, for disk and wire.
 *
 * ```
 * document = 3, actors, context, deferrals, state, expiry
 * actors   = count, then each as text, sorted; later mentions are indexes into this table
 * context  = a counter for each actor; 0 for one that only a deferral mentions
 * state    = 0 | kind (1 latest, 2 values, 3 counter, 4 tree), then the kind's own fields
 * expiry   = count, then each as a dot and 0, or as a dot, 1 and its time
 * element  = 2, actors, state: one leaf of a tree, with a table of its own
 * ```
 *
 * The encoding is canonical: equal documents have equal bytes, and no other bytes are read. The
 * digest is a hash of all of them, the version among them; of a tree it is one of the bytes without
 * the state, and of the sum of the tree's entries (8 bytes, `Summary`).
 *
 * Formats 1 and 2 are read. They had operation ids at their end, which are dropped, and format 1
 * had no expiry. Their counters, and those of elements of format 1, kept no updates. A digest is
 * always that of format 3, so that replicas agree on it whichever format each of them reads.
 */
import type { RecurringTexts } from "../codec/RecurringTexts.ts"
import { ByteReader, ByteWriter, Malformed } from "../codec/Bytes.ts"
import { sortedKeys } from "../codec/SortedKeys.ts"
import { type Actor, actorPattern, compareDots } from "../clock/Dot.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { digest64 } from "../Hash.ts"
import type { Document } from "./Document.ts"
import { childKind, type DotStore, hasCounter, type Tree } from "./DotStore.ts"
import { type EncodedDocument, EncodedTree } from "./EncodedDocument.ts"
import * as Expiry from "./Expiry.ts"
import type { Deferral } from "./Removal.ts"
import {
  actorsOf,
  type ActorTable,
  depthMax,
  readDot,
  type Reading,
  readStore,
  writeDot,
  writeStore
} from "./StoreCodec.ts"

export { type EncodedDocument, EncodedTree, lengthOf } from "./EncodedDocument.ts"

/** The format that documents are written in, and those before it, with and without an expiry. */
const formats = { plain: 1, expiring: 2, present: 3 } as const

const elementFormats = { former: 1, present: 2 } as const

const none: ReadonlyArray<never> = []

/** Sorted actors, so that one document has one table. */
export const writeActors = (writer: ByteWriter, actors: ActorTable): void => {
  writer.varint(actors.length)
  for (const actor of actors) writer.text(actor)
}

const readActor = (reader: ByteReader, before: Actor): Actor => {
  const at = reader.offset
  const actor = reader.text("an actor")
  if (!actorPattern.test(actor) || before >= actor) throw new Malformed("actors in order", at)
  return actor
}

export const readActors = (reader: ByteReader): ActorTable => {
  const count = reader.count("actors", 2)
  if (count === 0) return none
  // One actor is the rule, and a list that grows has room for sixteen more.
  const actors = [readActor(reader, "")]
  if (count === 1) return actors
  for (let i = 1; i < count; i++) actors.push(readActor(reader, actors[i - 1]!))
  return actors
}

export const writeDeferral = (writer: ByteWriter, deferral: Deferral, actors: ActorTable): void => {
  writeDot(writer, deferral, actors).varint(deferral.seen.size)
  for (const [actor, counter] of VersionVector.sorted(deferral.seen)) {
    writeDot(writer, { actor, counter }, actors)
  }
  writer.varint(deferral.path.length)
  for (const key of deferral.path) writer.text(key)
}

/** A history beyond the document's own, which a removal waits for. */
const readSeen = ({ actors, context, reader }: Reading): VersionVector.VersionVector => {
  const at = reader.offset
  const seen = new Map<Actor, number>()
  let previous = -1
  for (let i = reader.count("seen actors", 2); i > 0; i--) {
    const index = reader.varint("the index of an actor")
    const counter = reader.varint("a counter")
    const actor = actors[index]
    if (actor === undefined || index <= previous || counter === 0) {
      throw new Malformed("seen actors in order", at)
    }
    previous = index
    seen.set(actor, counter)
  }
  if (VersionVector.covers(context, seen)) throw new Malformed("more than the context", at)
  return seen
}

export const readPath = (reader: ByteReader): ReadonlyArray<string> => {
  const at = reader.offset
  const path: Array<string> = []
  for (let i = reader.count("path keys"); i > 0; i--) path.push(reader.text("a path key"))
  const fits = path.length <= depthMax && path.every((key) => childKind(key) !== undefined)
  if (!fits) throw new Malformed("the path of a state", at)
  return path
}

export const readDeferrals = (reading: Reading): ReadonlyArray<Deferral> => {
  const { reader } = reading
  const at = reader.offset
  const count = reader.count("deferrals", 4)
  if (count === 0) return none
  const deferred: Array<Deferral> = []
  for (let i = count; i > 0; i--) {
    const dot = readDot(reading)
    const previous = deferred.at(-1)
    if (previous !== undefined && compareDots(previous, dot) >= 0) {
      throw new Malformed("deferrals in order", at)
    }
    deferred.push({ ...dot, seen: readSeen(reading), path: readPath(reader) })
  }
  return deferred
}

export const writeExpiry = (
  writer: ByteWriter,
  expiry: Expiry.Expiry,
  actors: ActorTable
): void => {
  writer.varint(expiry.length)
  for (const entry of expiry) {
    writeDot(writer, entry, actors).byte(entry.at === null ? 0 : 1)
    if (entry.at !== null) writer.varint(entry.at)
  }
}

export const readExpiry = (reading: Reading): Expiry.Expiry => {
  const { reader } = reading
  const at = reader.offset
  const count = reader.count("expiry entries", 3)
  if (count === 0) return Expiry.none
  const expiry: Array<Expiry.ExpiryEntry> = []
  for (let i = count; i > 0; i--) {
    const dot = readDot(reading)
    const hasTime = reader.byte("a flag")
    const previous = expiry.at(-1)
    const ordered = previous === undefined || compareDots(previous, dot) < 0
    if (hasTime > 1 || !ordered) throw new Malformed("expiry entries in order", at)
    expiry.push({ ...dot, at: hasTime === 1 ? reader.varint("a time") : null })
  }
  return expiry
}

const readContext = (
  reader: ByteReader,
  actors: ReadonlyArray<Actor>
): VersionVector.VersionVector => {
  const context = new Map<Actor, number>()
  for (const actor of actors) {
    const counter = reader.varint("a counter")
    if (counter > 0) context.set(actor, counter)
  }
  return context
}

/** Every actor that is mentioned; an actor outside the context is there for a deferral. */
const tableOf = (
  context: VersionVector.VersionVector,
  deferred: ReadonlyArray<Deferral>
): ReadonlyArray<Actor> => {
  if (deferred.length === 0) return sortedKeys(context)
  const actors = new Set(context.keys())
  for (const { seen } of deferred) for (const actor of seen.keys()) actors.add(actor)
  return [...actors].sort()
}

/** Bytes of an actor, and of all else that most documents have, at most. */
const roomOf = { actor: 48, rest: 64 } as const

/** About what a document takes, so that its bytes need neither be moved on nor cut out. */
const roomFor = ({ context, store }: Document): number =>
  roomOf.rest + context.size * roomOf.actor
  + (store?.kind === "latest" ? store.value?.length ?? 0 : 0)

const write = (
  writer: ByteWriter,
  { context, deferred, expiry, store }: Document,
  format: number
): ByteWriter => {
  const actors = tableOf(context, deferred)
  writer.byte(format)
  writeActors(writer, actors)
  for (const actor of actors) writer.varint(context.get(actor) ?? 0)
  writer.varint(deferred.length)
  for (const deferral of deferred) writeDeferral(writer, deferral, actors)
  writeStore(writer, store, actors)
  if (format !== formats.plain) writeExpiry(writer, expiry, actors)
  return writer
}

const bytesOf = (document: Document, roomBefore = 0): Uint8Array => {
  const writer = ByteWriter.passing(roomBefore + roomFor(document)).skip(roomBefore)
  return write(writer, document, formats.present).take(roomBefore)
}

/** The bytes and digest of a document whose state is a tree, made as far as they are asked for. */
export const encodeTree = (document: Document, tree: Tree): EncodedTree =>
  new EncodedTree({
    head: bytesOf({ ...document, store: undefined }),
    tree,
    actors: tableOf(document.context, document.deferred).length,
    encode: () => bytesOf(document)
  })

/** The bytes and digest of a document, with bytes free before those of one that is no tree. */
export const encode = (
  document: Document,
  { roomBefore = 0 }: { readonly roomBefore?: number } = {}
): EncodedDocument => {
  if (document.store?.kind === "tree") return encodeTree(document, document.store)
  const bytes = bytesOf(document, roomBefore)
  return { bytes, digest: digest64(bytes), roomBefore }
}

/** The digest by the rule of before the sums: of all bytes, also those of a tree. */
export const digestOfBytes = (document: Document): string => digest64(encode(document).bytes)

/** Whether the bytes of a document are of an earlier format than `encode` writes. */
export const isFormer = (bytes: Uint8Array): boolean => bytes[0] !== formats.present

/**
 * The digest of a document in the earlier format that held it; undefined where it has counters,
 * which are not what they were.
 */
export const formerDigest = (document: Document): string | undefined => {
  if (hasCounter(document.store)) return undefined
  const format = document.expiry.length === 0 ? formats.plain : formats.expiring
  return digest64(write(new ByteWriter(roomFor(document)), document, format).view())
}

/** Drops what formats 1 and 2 end with. */
const skipIds = (reader: ByteReader): void => {
  for (let i = reader.count("ids", 5); i > 0; i--) {
    reader.text("a session")
    reader.varint("a sequence")
    reader.varint("a time")
    reader.text("an actor")
    reader.varint("a counter")
  }
}

/** The document of some bytes. Throws `Malformed`. */
export const decode = (bytes: Uint8Array, recurring?: RecurringTexts): Document => {
  const reader = new ByteReader(bytes, 0, bytes.length, recurring)
  const format = reader.byte("a format version")
  if (format < formats.plain || format > formats.present) {
    throw new Malformed("document format 1, 2 or 3", 0)
  }
  const actors = readActors(reader)
  const context = readContext(reader, actors)
  const reading = { reader, actors, context, isFormer: format !== formats.present }
  const deferred = readDeferrals(reading)
  if (context.size < actors.length && tableOf(context, deferred).length < actors.length) {
    throw new Malformed("actors that are mentioned", 1)
  }
  const store = readStore(reading)
  const expiry = format === formats.plain ? Expiry.none : readExpiry(reading)
  if (format !== formats.present) skipIds(reader)
  reader.end()
  return { context, store, deferred, expiry }
}

/** The document of some bytes, and its digest. Throws `Malformed`. */
export const decodeWithDigest = (
  bytes: Uint8Array,
  recurring?: RecurringTexts
): { readonly document: Document; readonly digest: string } => {
  const document = decode(bytes, recurring)
  const isBytes = !isFormer(bytes) && document.store?.kind !== "tree"
  return { document, digest: isBytes ? digest64(bytes) : encode(document).digest }
}

/** One leaf of a tree, as an element row. */
export const encodeElement = (store: DotStore): Uint8Array => {
  const writer = new ByteWriter(128).byte(elementFormats.present)
  const actors = [...actorsOf(store)].sort()
  writeActors(writer, actors)
  writeStore(writer, store, actors)
  return writer.finish()
}

/** The leaf of an element row of a document with this context. Throws `Malformed`. */
export const decodeElement = (
  bytes: Uint8Array,
  context: VersionVector.VersionVector
): DotStore => {
  const reader = new ByteReader(bytes)
  const format = reader.byte("a format version")
  if (format !== elementFormats.former && format !== elementFormats.present) {
    throw new Malformed("element format 1 or 2", 0)
  }
  const actors = readActors(reader)
  const store = readStore({ reader, actors, context, isFormer: format === elementFormats.former })
  reader.end()
  if (store === undefined || store.kind === "tree") throw new Malformed("a leaf", 1)
  if (actorsOf(store).size !== actors.length) throw new Malformed("actors that are mentioned", 1)
  return store
}
