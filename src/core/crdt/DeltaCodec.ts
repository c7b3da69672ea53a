/**
 * Writes edits as bytes, for the wire: the changes of requests, each with its base.
 *
 * ```
 * edits     = 1, actors, count, then each edit
 * actors    = as in a document; those that the edits mention, and no others
 * edit      = base, count of deltas, then each delta
 * base      = a history
 * history   = count, then each as the index of an actor and a counter, ascending by actor
 * delta     = a history, dots that it has seen, path, state at the path, deferrals, expiry,
 *             dots that it ends
 * dots      = count, then each, sorted
 * path      = count, then each as text
 * state, deferrals, expiry = as in a document
 * ```
 *
 * The encoding is canonical. Reading checks the invariants that joins rely on: a document that
 * covers the base is sound after the edit, whichever bytes were read.
 */
import { ByteReader, ByteWriter, Malformed } from "../codec/Bytes.ts"
import { type Actor, compareDots, type Dot } from "../clock/Dot.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { type Delta, joinContext } from "./Document.ts"
import {
  readActors,
  readDeferrals,
  readExpiry,
  readPath,
  writeActors,
  writeDeferral,
  writeExpiry
} from "./DocumentCodec.ts"
import { at, childKind, nest } from "./DotStore.ts"
import type { Edit } from "./Edit.ts"
import { actorsOf, type ActorTable, readStoreAt, writeDot, writeStore } from "./StoreCodec.ts"

const present = 1

const actorsIn = (edits: ReadonlyArray<Edit>): ReadonlySet<Actor> => {
  const actors = new Set<Actor>()
  const add = ({ actor }: Dot) => actors.add(actor)
  const addAll = (history: VersionVector.VersionVector) => {
    for (const actor of history.keys()) actors.add(actor)
  }
  for (const { base, deltas } of edits) {
    addAll(base)
    for (const { deferred, ended, expiry, seen, store } of deltas) {
      addAll(seen.vector)
      seen.dots.forEach(add)
      ended?.forEach(add)
      expiry.forEach(add)
      for (const deferral of deferred) {
        add(deferral)
        addAll(deferral.seen)
      }
      if (store !== undefined) actorsOf(store, actors)
    }
  }
  return actors
}

const writeHistory = (
  writer: ByteWriter,
  history: VersionVector.VersionVector,
  actors: ActorTable
): void => {
  writer.varint(history.size)
  if (history.size === 0) return
  for (const [actor, counter] of VersionVector.sorted(history)) {
    writeDot(writer, { actor, counter }, actors)
  }
}

/** Each once, in order: a write may replace the value and the expiry of one dot. */
const distinctDots = (dots: ReadonlyArray<Dot>): ReadonlyArray<Dot> => {
  const sorted = dots.toSorted(compareDots)
  return sorted.filter((dot, i) => i === 0 || compareDots(sorted[i - 1]!, dot) !== 0)
}

const writeDots = (writer: ByteWriter, dots: ReadonlyArray<Dot>, actors: ActorTable): void => {
  const distinct = dots.length > 1 ? distinctDots(dots) : dots
  writer.varint(distinct.length)
  for (const dot of distinct) writeDot(writer, dot, actors)
}

const writeDelta = (writer: ByteWriter, delta: Delta, actors: ActorTable): void => {
  const { deferred, ended = [], expiry, path = [], seen, store } = delta
  writeHistory(writer, seen.vector, actors)
  writeDots(writer, seen.dots, actors)
  writer.varint(path.length)
  for (const key of path) writer.text(key)
  writeStore(writer, at(store, path), actors)
  writer.varint(deferred.length)
  for (const deferral of deferred) writeDeferral(writer, deferral, actors)
  writeExpiry(writer, expiry, actors)
  writeDots(writer, ended, actors)
}

/** The bytes of edits, in the order in which they are to be joined. At least one. */
export const encode = (edits: ReadonlyArray<Edit>): Uint8Array => {
  const writer = new ByteWriter(256).byte(present)
  const actors = [...actorsIn(edits)].sort()
  writeActors(writer, actors)
  writer.varint(edits.length)
  for (const { base, deltas } of edits) {
    writeHistory(writer, base, actors)
    writer.varint(deltas.length)
    for (const delta of deltas) writeDelta(writer, delta, actors)
  }
  return writer.finish()
}

interface Bytes {
  readonly reader: ByteReader
  readonly actors: ReadonlyArray<Actor>
}

const readCounted = ({ actors, reader }: Bytes): Dot => {
  const offset = reader.offset
  const actor = actors[reader.varint("the index of an actor")]
  const counter = reader.varint("a counter")
  if (actor === undefined || counter === 0) throw new Malformed("a dot", offset)
  return { actor, counter }
}

const readDots = (bytes: Bytes): ReadonlyArray<Dot> => {
  const { reader } = bytes
  const dots: Array<Dot> = []
  for (let i = reader.count("dots", 2); i > 0; i--) {
    const offset = reader.offset
    const dot = readCounted(bytes)
    const previous = dots.at(-1)
    if (previous !== undefined && compareDots(previous, dot) >= 0) {
      throw new Malformed("dots in order", offset)
    }
    dots.push(dot)
  }
  return dots
}

const readHistory = (bytes: Bytes): VersionVector.VersionVector => {
  const { reader } = bytes
  const history = new Map<Actor, number>()
  let previous = ""
  for (let i = reader.count("actors of a history", 2); i > 0; i--) {
    const offset = reader.offset
    const { actor, counter } = readCounted(bytes)
    if (actor <= previous) throw new Malformed("actors of a history in order", offset)
    history.set(actor, counter)
    previous = actor
  }
  return history
}

/** A path through trees; its last key says the kind of the state there. */
const readWay = (reader: ByteReader): ReadonlyArray<string> => {
  const offset = reader.offset
  const path = readPath(reader)
  const leadsThroughTrees = path.slice(0, -1).every((key) => childKind(key) === "tree")
  if (!leadsThroughTrees) throw new Malformed("a path through trees", offset)
  return path
}

/** The next delta, and the history that a document has after it. */
const readDelta = (bytes: Bytes, before: VersionVector.VersionVector) => {
  const { actors, reader } = bytes
  const seen = { vector: readHistory(bytes), dots: readDots(bytes) }
  const context = joinContext(before, seen)
  const path = readWay(reader)
  const offset = reader.offset
  const reading = { reader, actors, context, isFormer: false }
  const leaf = readStoreAt(reading, path.length)
  const last = path.at(-1)
  if (leaf !== undefined && last !== undefined && childKind(last) !== leaf.kind) {
    throw new Malformed("a state of the kind that its path promises", offset)
  }
  const store = leaf && nest(path, leaf)
  const deferred = readDeferrals(reading)
  const expiry = readExpiry(reading)
  const ended = readDots(bytes)
  const delta: Delta = { seen, path, store, deferred, expiry, ended }
  return { delta, context }
}

const readEdit = (bytes: Bytes): Edit => {
  const { reader } = bytes
  const base = readHistory(bytes)
  const offset = reader.offset
  const deltas: Array<Delta> = []
  let context = base
  for (let i = reader.count("deltas", 7); i > 0; i--) {
    const read = readDelta(bytes, context)
    context = read.context
    deltas.push(read.delta)
  }
  if (deltas.length === 0) throw new Malformed("at least one delta", offset)
  return { base, deltas }
}

/** The edits of some bytes, at least one. Throws `Malformed`. */
export const decode = (bytes: Uint8Array): ReadonlyArray<Edit> => {
  const reader = new ByteReader(bytes)
  if (reader.byte("a format version") !== present) throw new Malformed("delta format 1", 0)
  const actors = readActors(reader)
  const edits: Array<Edit> = []
  for (let i = reader.count("edits", 9); i > 0; i--) edits.push(readEdit({ reader, actors }))
  reader.end()
  if (edits.length === 0) throw new Malformed("at least one edit", 1)
  if (actorsIn(edits).size !== actors.length) throw new Malformed("actors that are mentioned", 1)
  return edits
}
