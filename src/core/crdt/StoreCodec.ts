/**
 * Writes and reads states: the part of the document format that knows the four shapes.
 *
 * Reading checks the invariants that joins rely on: every dot is in the context, siblings are
 * sorted, children have the kinds that their keys promise, nesting has a limit.
 */
import { type ByteReader, type ByteWriter, Malformed } from "../codec/Bytes.ts"
import { sortedKeys } from "../codec/SortedKeys.ts"
import { type Actor, compareDots, type Dot } from "../clock/Dot.ts"
import type { Sibling } from "../clock/DottedVersionVectorSet.ts"
import * as VersionVector from "../clock/VersionVector.ts"
import { invariant } from "../Invariant.ts"
import { readFormerTotal, readTotal, writeTotal } from "./CounterCodec.ts"
import { Children } from "./Children.ts"
import { childKind, type DotStore, type PerActorTotal } from "./DotStore.ts"

/** Deepest nesting of trees. */
export const depthMax = 32

const tag = { none: 0, latest: 1, values: 2, counter: 3, tree: 4 } as const

/** Every actor that has a dot in `store`. */
export const actorsOf = (store: DotStore, into = new Set<Actor>()): ReadonlySet<Actor> => {
  switch (store.kind) {
    case "latest":
      return into.add(store.actor)
    case "values":
      for (const sibling of store.siblings) into.add(sibling.actor)
      return into
    case "counter":
      for (const actor of store.totals.keys()) into.add(actor)
      return into
    case "tree":
      for (const child of store.children.values()) actorsOf(child, into)
      return into
  }
}

/** The actors that a document begins with, sorted: dots name them by their places. */
export type ActorTable = ReadonlyArray<Actor>

const placeOf = (actors: ActorTable, actor: Actor): number => {
  let [from, to] = [0, actors.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (actors[middle]! < actor) from = middle + 1
    else to = middle
  }
  invariant(actors[from] === actor, "every dot of a state is in its document's context")
  return from
}

export const writeDot = (writer: ByteWriter, dot: Dot, actors: ActorTable): ByteWriter =>
  writer.varint(placeOf(actors, dot.actor)).varint(dot.counter)

export const writeStore = (
  writer: ByteWriter,
  store: DotStore | undefined,
  actors: ActorTable
): void => {
  if (store === undefined) {
    writer.byte(tag.none)
    return
  }
  writer.byte(tag[store.kind])
  switch (store.kind) {
    case "latest":
      writeDot(writer, store, actors).varint(store.stamp)
      writer.byte(store.value === null ? 0 : 1)
      if (store.value !== null) writer.text(store.value)
      return
    case "values":
      writer.varint(store.siblings.length)
      for (const sibling of store.siblings) {
        writeDot(writer, sibling, actors).varint(sibling.stamp).text(sibling.value)
      }
      return
    case "counter":
      writer.varint(store.totals.size)
      for (const actor of sortedKeys(store.totals)) {
        writer.varint(placeOf(actors, actor))
        writeTotal(writer, store.totals.get(actor)!)
      }
      return
    case "tree":
      writer.varint(store.children.size)
      for (const [key, child] of store.children) {
        writer.text(key)
        writeStore(writer, child, actors)
      }
  }
}

/** The state of a reader of dots. */
export interface Reading {
  readonly reader: ByteReader
  readonly actors: ReadonlyArray<Actor>
  readonly context: VersionVector.VersionVector
  /** Whether counters are from before their updates were kept. */
  readonly isFormer: boolean
}

export const readDot = ({ reader, actors, context }: Reading): Dot => {
  const at = reader.offset
  const actor = actors[reader.varint("the index of an actor")]
  const counter = reader.varint("a counter")
  const known = actor !== undefined && counter > 0
    && VersionVector.contains(context, actor, counter)
  if (!known) throw new Malformed("a dot of the document's context", at)
  return { actor, counter }
}

const readLatest = (reading: Reading): DotStore => {
  const { reader } = reading
  const { actor, counter } = readDot(reading)
  const stamp = reader.varint("a stamp")
  const at = reader.offset
  const hasValue = reader.byte("a flag")
  if (hasValue > 1) throw new Malformed("a flag", at)
  const value = hasValue === 1 ? reader.text("a value") : null
  return { kind: "latest", actor, counter, stamp, value }
}

const readValues = (reading: Reading): DotStore => {
  const { reader } = reading
  const at = reader.offset
  const count = reader.count("siblings", 4)
  const siblings: Array<Sibling> = []
  for (let i = 0; i < count; i++) {
    const dot = readDot(reading)
    const sibling = { ...dot, stamp: reader.varint("a stamp"), value: reader.text("a value") }
    if (i > 0 && compareDots(siblings[i - 1]!, sibling) >= 0) {
      throw new Malformed("siblings in order", at)
    }
    siblings.push(sibling)
  }
  if (count === 0) throw new Malformed("at least one sibling", at)
  return { kind: "values", siblings }
}

const readCounter = ({ actors, context, isFormer, reader }: Reading): DotStore => {
  const at = reader.offset
  const totals = new Map<Actor, PerActorTotal>()
  let previous = ""
  for (let i = reader.count("totals", 4); i > 0; i--) {
    const actor = actors[reader.varint("the index of an actor")]
    if (actor === undefined || actor <= previous) throw new Malformed("totals in order", at)
    const isKnown = (counter: number) => VersionVector.contains(context, actor, counter)
    const read = isFormer ? readFormerTotal : readTotal
    totals.set(actor, read(reader, isKnown))
    previous = actor
  }
  if (totals.size === 0) throw new Malformed("at least one total", at)
  return { kind: "counter", totals }
}

const readTree = (reading: Reading, depth: number): DotStore => {
  const { reader } = reading
  const at = reader.offset
  if (depth >= depthMax) throw new Malformed(`trees at most ${depthMax} deep`, at)
  const children: Array<readonly [string, DotStore]> = []
  let previous = ""
  for (let i = reader.count("children", 2); i > 0; i--) {
    const key = reader.text("a child key")
    const child = readAt(reading, depth + 1)
    const fits = child !== undefined && childKind(key) === child.kind && key > previous
    if (!fits) throw new Malformed("children in order, of the kinds their keys promise", at)
    previous = key
    children.push([key, child])
  }
  if (children.length === 0) throw new Malformed("at least one child", at)
  return { kind: "tree", children: Children.of(children) }
}

const readAt = (reading: Reading, depth: number): DotStore | undefined => {
  const at = reading.reader.offset
  switch (reading.reader.byte("a state")) {
    case tag.none:
      return undefined
    case tag.latest:
      return readLatest(reading)
    case tag.values:
      return readValues(reading)
    case tag.counter:
      return readCounter(reading)
    case tag.tree:
      return readTree(reading, depth)
    default:
      throw new Malformed("a state of a known kind", at)
  }
}

/** The next state of a delta, which stands this deep in its document. Throws `Malformed`. */
export const readStoreAt = readAt

/** The next state; undefined is one without entries. Throws `Malformed`. */
export const readStore = (reading: Reading): DotStore | undefined => readAt(reading, 0)
