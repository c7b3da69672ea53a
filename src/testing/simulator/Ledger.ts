/**
 * Reads every commit of the disks, so that checkers know the dots and stamps that the writes were
 * given, and that no dot ever stands for two things.
 */
import type { Dot } from "../../core/clock/Dot.ts"
import * as VersionVector from "../../core/clock/VersionVector.ts"
import type { DotStore } from "../../core/crdt/DotStore.ts"
import { Malformed } from "../../core/codec/Bytes.ts"
import type { OperationId } from "../../core/operations/OperationId.ts"
import * as OperationRow from "../../replica/OperationRow.ts"
import * as Row from "../../replica/RowCodec.ts"
import type { Batch, RowKey, StoredDocument } from "../../storage/Storage.ts"
import type { Applied, Lapse } from "./History.ts"

/** An operation that was given a dot, and the request that did it. */
interface Given {
  readonly request: string
  readonly dot: Dot
}

const nameOf = ({ actor, counter }: Dot): string => `${actor} ${counter}`
const nodeOf = ({ actor }: Dot): string => actor.slice(0, actor.indexOf("."))
const requestOf = (id: OperationId): string => `${id.session} ${id.sequence}`

export class Ledger {
  /** Operations by the ids of the requests that carry them. */
  readonly #operations = new Map<string, number>()
  /** The dots that each request was given, stored or not, and by document. */
  readonly #made = new Map<string, Map<string, Dot>>()
  readonly #given = new Map<string, Array<Given>>()
  /** The dots of each request that any disk has had. */
  readonly #dots = new Map<string, Map<string, Dot>>()
  /** Since when each node has had each request on disk, and since when it may have lost some. */
  readonly #copies = new Map<string, Map<string, number>>()
  readonly #lossy = new Map<string, number>()
  readonly #stamps = new Map<string, number>()
  readonly #meanings = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  readonly #homes = new Map<string, string>()
  readonly #rows = new Map<string, VersionVector.VersionVector>()
  readonly #reused = new Set<string>()
  readonly #lapses: Array<Lapse> = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Notes that a request with this id carries this operation. */
  issued(id: OperationId, operation: number): void {
    this.#operations.set(requestOf(id), operation)
  }

  /** Reads a row that reached a node's disk. */
  committed(node: string, key: RowKey, stored: StoredDocument): void {
    const documentName = `${key.bucket}/${key.partitionKey}`
    const row = `${documentName} ${Buffer.from(stored.header).toString("latin1")}`
    const context = this.#rows.get(row) ?? this.#read(node, documentName, stored)
    // One disk may lack elements that stand under the same header on another.
    if (context === undefined) return
    this.#rows.set(row, context)
    for (const given of this.#given.get(documentName) ?? []) {
      const { actor, counter } = given.dot
      if (VersionVector.contains(context, actor, counter)) this.#apply(node, given)
    }
  }

  /** Reads a batch that a node is about to store: new dots of its own have now been made. */
  asked(node: string, { rows }: Pick<Batch, "rows">): void {
    for (const { bytes, family } of rows) {
      const row = family === "operation" && bytes !== undefined
        ? OperationRow.decode(bytes)
        : undefined
      if (row === undefined || nodeOf(row.dot) !== node) continue
      const { document: { bucket, partitionKey }, dot, id } = row
      this.#make(`${bucket}/${partitionKey}`, { request: requestOf(id), dot })
    }
  }

  /** A node's disk may have lost anything. */
  forget(node: string): void {
    if (!this.#lossy.has(node)) this.#lossy.set(node, this.#now())
  }

  get applied(): ReadonlyMap<number, Applied> {
    const applied = new Map<number, Applied>()
    for (const [request, operation] of this.#operations) {
      const dots = [...this.#dots.get(request)?.values() ?? []]
      if (dots.length === 0) continue
      const stamps = dots.flatMap((dot) => this.#stamps.get(nameOf(dot)) ?? [])
      applied.set(operation, { dots, stamps })
    }
    return applied
  }

  get made(): ReadonlyMap<number, ReadonlyArray<Dot>> {
    const made = new Map<number, ReadonlyArray<Dot>>()
    for (const [request, operation] of this.#operations) {
      const dots = [...this.#made.get(request)?.values() ?? []]
      if (dots.length > 0) made.set(operation, [...made.get(operation) ?? [], ...dots])
    }
    return made
  }

  get makers(): ReadonlyMap<number, ReadonlySet<string>> {
    return new Map([...this.made].map(([id, dots]) => [id, new Set(dots.map(nodeOf))]))
  }

  /**
   * Since when nodes have had each operation on disk. One whose disk lost data counts from then on:
   * rows that cannot be read again were not seen here.
   */
  get copies(): ReadonlyMap<number, ReadonlyMap<string, number>> {
    const copies = new Map<number, ReadonlyMap<string, number>>()
    for (const [request, operation] of this.#operations) {
      const since = new Map([...this.#lossy, ...copies.get(operation) ?? []])
      for (const [node, at] of this.#copies.get(request) ?? []) {
        since.set(node, Math.min(at, since.get(node) ?? at))
      }
      copies.set(operation, since)
    }
    return copies
  }

  /** Dots and actors that were seen to stand for two things. */
  get reused(): ReadonlyArray<string> {
    return [...this.#reused].sort()
  }

  /** Faults that only a damaged disk may have: a row that is no document. */
  get lapses(): ReadonlyArray<Lapse> {
    return this.#lapses
  }

  #make(documentName: string, { dot, request }: Given): void {
    const name = nameOf(dot)
    const made = this.#made.get(request) ?? new Map<string, Dot>()
    this.#made.set(request, made)
    if (made.has(name)) return
    made.set(name, dot)
    this.#only(this.#ids, name, `${documentName} ${request}`, "a dot")
    const given = this.#given.get(documentName)
    if (given === undefined) this.#given.set(documentName, [{ dot, request }])
    else given.push({ dot, request })
  }

  #apply(node: string, { dot, request }: Given): void {
    const dots = this.#dots.get(request) ?? new Map<string, Dot>()
    this.#dots.set(request, dots.set(nameOf(dot), dot))
    const copies = this.#copies.get(request) ?? new Map<string, number>()
    this.#copies.set(request, copies)
    if (!copies.has(node)) copies.set(node, this.#now())
  }

  #read(
    node: string,
    documentName: string,
    stored: StoredDocument
  ): VersionVector.VersionVector | undefined {
    const held = Row.decode(stored)
    if (held instanceof Malformed) {
      this.#lapses.push({ node, problem: `${documentName} has a row that is no document` })
      return undefined
    }
    const { context, store } = held.document
    for (const actor of context.keys()) this.#only(this.#homes, actor, documentName, "an actor")
    if (store !== undefined) this.#walk(documentName, store)
    return context
  }

  #walk(path: string, store: DotStore): void {
    switch (store.kind) {
      case "latest":
        return this.#value(path, store)
      case "values":
        for (const sibling of store.siblings) this.#value(path, sibling)
        return
      case "counter":
        for (const [actor, { updates }] of store.totals) {
          for (const { counter, sum } of updates) this.#mean({ actor, counter }, `${path} ${sum}`)
        }
        return
      case "tree":
        for (const [key, child] of store.children) this.#walk(`${path}.${key}`, child)
    }
  }

  #value(path: string, entry: Dot & { readonly stamp: number; readonly value: string | null }) {
    this.#mean(entry, `${path} ${entry.stamp} ${entry.value}`)
    this.#stamps.set(nameOf(entry), entry.stamp)
  }

  #mean(dot: Dot, meaning: string): void {
    this.#only(this.#meanings, nameOf(dot), meaning, "a dot")
  }

  #only(known: Map<string, string>, name: string, meaning: string, what: string): void {
    const before = known.get(name)
    if (before === undefined) known.set(name, meaning)
    else if (before !== meaning) this.#reused.add(`${what}, ${name}: ${before}, and ${meaning}`)
  }
}
