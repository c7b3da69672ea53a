/**
 * Writes documents as bytes, for disk and wire: format 1.
 *
 * ```
 * document = 1, actors, context, deferrals, state, ids
 * actors   = count, then each as text, sorted; later mentions are indexes into this table
 * context  = a counter for each actor; 0 for one that only a deferral mentions
 * state    = 0 | kind (1 latest, 2 values, 3 counter, 4 tree), then the kind's own fields
 * element  = 1, actors, state: one leaf of a tree, with a table of its own
 * ```
 *
 * The encoding is canonical: equal documents have equal bytes. All up to the ids is hashed into
 * the digest; the ids are not, since replicas forget them at their own time.
 */
import { ByteReader, ByteWriter, Malformed } from "../codec/Bytes.ts"
import { type Actor, actorPattern } from "../clock/Dot.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { digest64 } from "../Hash.ts"
import type { AppliedId, Document } from "./Document.ts"
import type { DotStore } from "./DotStore.ts"
import type { Deferral } from "./Removal.ts"
import { actorsOf, readStore, writeStore } from "./StoreCodec.ts"

export const formatVersion = 1

export interface EncodedDocument {
  readonly bytes: Uint8Array
  /** 16 hexadecimal digits over everything but the ids. */
  readonly digest: string
}

type Indexes = ReadonlyMap<Actor, number>

/** Sorted actors, so that one document has one table. */
const writeActors = (writer: ByteWriter, actors: ReadonlyArray<Actor>): Indexes => {
  const indexes = new Map<Actor, number>()
  writer.varint(actors.length)
  for (const actor of actors) {
    indexes.set(actor, indexes.size)
    writer.text(actor)
  }
  return indexes
}

const readActors = (reader: ByteReader): ReadonlyArray<Actor> => {
  const count = reader.count("actors", 2)
  const actors: Array<Actor> = []
  for (let i = 0; i < count; i++) {
    const at = reader.offset
    const actor = reader.text("an actor")
    const ordered = i === 0 || actors[i - 1]! < actor
    if (!actorPattern.test(actor) || !ordered) throw new Malformed("actors in order", at)
    actors.push(actor)
  }
  return actors
}

const writeDeferral = (writer: ByteWriter, deferral: Deferral, indexes: Indexes): void => {
  writer.varint(indexes.get(deferral.actor)!).varint(deferral.counter)
  writer.varint(deferral.seen.size)
  for (const [actor, counter] of VersionVector.sorted(deferral.seen)) {
    writer.varint(indexes.get(actor)!).varint(counter)
  }
  writer.varint(deferral.path.length)
  for (const key of deferral.path) writer.text(key)
}

const pick = (actors: ReadonlyArray<Actor>, reader: ByteReader): Actor => {
  const at = reader.offset
  const actor = actors[reader.varint("the index of an actor")]
  if (actor === undefined) throw new Malformed("the index of an actor", at)
  return actor
}

const readDeferral = (reader: ByteReader, actors: ReadonlyArray<Actor>): Deferral => {
  const actor = pick(actors, reader)
  const counter = reader.varint("a counter")
  const seen = new Map<Actor, number>()
  for (let i = reader.count("seen actors", 2); i > 0; i--) {
    seen.set(pick(actors, reader), reader.varint("a counter"))
  }
  const path: Array<string> = []
  for (let i = reader.count("path keys"); i > 0; i--) path.push(reader.text("a path key"))
  return { actor, counter, seen, path }
}

const writeIds = (writer: ByteWriter, ids: ReadonlyArray<AppliedId>): void => {
  writer.varint(ids.length)
  for (const id of ids) {
    writer.text(id.session).varint(id.sequence).varint(id.at).text(id.actor).varint(id.counter)
  }
}

const readIds = (reader: ByteReader): ReadonlyArray<AppliedId> => {
  const ids: Array<AppliedId> = []
  for (let i = reader.count("ids", 5); i > 0; i--) {
    ids.push({
      session: reader.text("a session"),
      sequence: reader.varint("a sequence"),
      at: reader.varint("a time"),
      actor: reader.text("an actor"),
      counter: reader.varint("a counter")
    })
  }
  return ids
}

const tableOf = (document: Document): ReadonlyArray<Actor> => {
  if (document.deferred.length === 0) {
    return VersionVector.sorted(document.context).map(([actor]) => actor)
  }
  const actors = new Set(document.context.keys())
  for (const deferral of document.deferred) {
    for (const actor of deferral.seen.keys()) actors.add(actor)
  }
  return [...actors].sort()
}

/** The bytes and digest of a document; with `withState: false`, of all but its state. */
export const encode = (
  document: Document,
  options: { readonly withState: boolean } = { withState: true }
): EncodedDocument => {
  const writer = new ByteWriter(512).byte(formatVersion)
  const actors = tableOf(document)
  const indexes = writeActors(writer, actors)
  for (const actor of actors) writer.varint(document.context.get(actor) ?? 0)
  writer.varint(document.deferred.length)
  for (const deferral of document.deferred) writeDeferral(writer, deferral, indexes)
  writeStore(writer, options.withState ? document.store : undefined, indexes)
  const hashed = writer.length
  writeIds(writer, document.ids)
  const bytes = writer.finish()
  return { bytes, digest: digest64(bytes.subarray(0, hashed)) }
}

/** The document of some bytes. Throws `Malformed`. */
export const decode = (bytes: Uint8Array): Document => {
  const reader = new ByteReader(bytes)
  if (reader.byte("a format version") !== formatVersion) {
    throw new Malformed(`document format ${formatVersion}`, 0)
  }
  const actors = readActors(reader)
  const context = new Map<Actor, number>()
  for (const actor of actors) {
    const counter = reader.varint("a counter")
    if (counter > 0) context.set(actor, counter)
  }
  const deferred: Array<Deferral> = []
  for (let i = reader.count("deferrals", 4); i > 0; i--) deferred.push(readDeferral(reader, actors))
  const store = readStore(reader, actors, context)
  const ids = readIds(reader)
  reader.end()
  return { context, store, deferred, ids }
}

/** One leaf of a tree, as an element row. */
export const encodeElement = (store: DotStore): Uint8Array => {
  const writer = new ByteWriter(128).byte(formatVersion)
  const indexes = writeActors(writer, [...actorsOf(store)].sort())
  writeStore(writer, store, indexes)
  return writer.finish()
}

/** The leaf of an element row of a document with this context. Throws `Malformed`. */
export const decodeElement = (
  bytes: Uint8Array,
  context: VersionVector.VersionVector
): DotStore => {
  const reader = new ByteReader(bytes)
  if (reader.byte("a format version") !== formatVersion) {
    throw new Malformed(`element format ${formatVersion}`, 0)
  }
  const store = readStore(reader, readActors(reader), context)
  reader.end()
  if (store === undefined || store.kind === "tree") throw new Malformed("a leaf", 1)
  return store
}
