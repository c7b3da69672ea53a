/**
 * Reads every commit of the disks, so that checkers know the dots and stamps that the writes were
 * given, and that no dot ever stands for two things.
 */
import type { Dot } from "../../core/clock/Dot.ts"
import type { DotStore } from "../../core/crdt/DotStore.ts"
import { Malformed } from "../../core/codec/Bytes.ts"
import type { OperationId } from "../../core/operations/OperationId.ts"
import type { LocalDocument } from "../../replica/LocalDocument.ts"
import * as Row from "../../replica/RowCodec.ts"
import type { RowKey, StoredDocument } from "../../storage/Storage.ts"
import type { Applied, Lapse } from "./History.ts"

/** An operation that was applied, with the last dot it made. */
interface AppliedId extends OperationId, Dot {}

/** The operations that a row names: none, while no row does. */
const idsOf: (held: LocalDocument) => ReadonlyArray<AppliedId> = () => []

const nameOf = ({ actor, counter }: Dot): string => `${actor} ${counter}`
const nodeOf = ({ actor }: Dot): string => actor.slice(0, actor.indexOf("."))
const requestOf = (id: OperationId): string => `${id.session} ${id.sequence}`

export class Ledger {
  /** Operations by the ids of the requests that carry them. */
  readonly #operations = new Map<string, number>()
  /** The dots of each request, and the nodes that have had them on disk. */
  readonly #dots = new Map<string, Map<string, AppliedId>>()
  readonly #disks = new Set<string>()
  readonly #made = new Set<string>()
  /** The nodes that carried out each request, stored or not. */
  readonly #makers = new Map<string, Set<string>>()
  /** Since when each node has had each request on disk, and since when it may have lost some. */
  readonly #copies = new Map<string, Map<string, number>>()
  readonly #lossy = new Map<string, number>()
  readonly #stamps = new Map<string, number>()
  readonly #meanings = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  readonly #homes = new Map<string, string>()
  readonly #rows = new Map<string, ReadonlyArray<AppliedId>>()
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
    const ids = this.#rows.get(row) ?? this.#read(node, documentName, stored)
    // One disk may lack elements that stand under the same header on another.
    if (ids === undefined) return
    this.#rows.set(row, ids)
    for (const id of ids) this.#applyId(node, id)
  }

  /** Reads a document that a node is about to store: new dots of its own have now been made. */
  asked(node: string, header: Uint8Array | undefined): void {
    if (header === undefined) return
    const held = Row.decodeHeader(header)
    if (held instanceof Malformed) return
    for (const id of idsOf(held)) {
      if (nodeOf(id) !== node || this.#made.has(nameOf(id))) continue
      this.#made.add(nameOf(id))
      const makers = this.#makers.get(requestOf(id)) ?? new Set<string>()
      this.#makers.set(requestOf(id), makers.add(node))
      this.#checkAgain(node, id)
    }
  }

  /** A node's disk may have lost anything. */
  forget(node: string): void {
    for (const name of this.#disks) if (name.startsWith(`${node} `)) this.#disks.delete(name)
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

  get makers(): ReadonlyMap<number, ReadonlySet<string>> {
    const makers = new Map<number, Set<string>>()
    for (const [request, operation] of this.#operations) {
      const known = makers.get(operation) ?? new Set<string>()
      for (const node of this.#makers.get(request) ?? []) makers.set(operation, known.add(node))
    }
    return makers
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

  /**
   * Faults that only a damaged disk may have: a forgotten operation, or a row that is no document.
   */
  get lapses(): ReadonlyArray<Lapse> {
    return this.#lapses
  }

  #applyId(node: string, id: AppliedId): void {
    const request = requestOf(id)
    const dots = this.#dots.get(request) ?? new Map<string, AppliedId>()
    this.#dots.set(request, dots)
    const name = nameOf(id)
    if (!dots.has(name)) dots.set(name, id)
    this.#disks.add(`${node} ${name}`)
    const copies = this.#copies.get(request) ?? new Map<string, number>()
    this.#copies.set(request, copies)
    if (!copies.has(node)) copies.set(node, this.#now())
  }

  /** Whether a node carries out an operation that it has on its disk already. */
  #checkAgain(node: string, id: AppliedId): void {
    const request = requestOf(id)
    for (const [other, made] of this.#dots.get(request) ?? []) {
      const isOwn = nodeOf(made) === node && other !== nameOf(id)
      if (!isOwn || !this.#disks.has(`${node} ${other}`)) continue
      const problem = `o${this.#operations.get(request)} as ${other}, and again as ${nameOf(id)}`
      this.#lapses.push({ node, problem })
    }
  }

  #read(
    node: string,
    documentName: string,
    stored: StoredDocument
  ): ReadonlyArray<AppliedId> | undefined {
    const held = Row.decode(stored)
    if (held instanceof Malformed) {
      this.#lapses.push({ node, problem: `${documentName} has a row that is no document` })
      return undefined
    }
    const ids = idsOf(held)
    const { context, store } = held.document
    for (const actor of context.keys()) this.#only(this.#homes, actor, documentName, "an actor")
    for (const id of ids) {
      this.#only(this.#ids, nameOf(id), `${documentName} ${requestOf(id)}`, "a dot")
    }
    if (store !== undefined) this.#walk(documentName, store)
    return ids
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
