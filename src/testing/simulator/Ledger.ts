/**
 * Reads along what disks commit, so that checkers know the dots and stamps that the writes were
 * given, and that no dot ever stands for two things.
 */
import type { Dot } from "../../core/clock/Dot.ts"
import type { Document } from "../../core/crdt/Document.ts"
import type { DotStore } from "../../core/crdt/DotStore.ts"
import { Malformed } from "../../core/codec/Bytes.ts"
import * as Row from "../../replica/Row.ts"
import type { RowKey, StoredDocument } from "../../storage/Storage.ts"
import type { Applied } from "./History.ts"
import { operationOf } from "./Plan.ts"

interface Growing {
  readonly dots: Array<Dot>
  readonly stamps: Array<number>
}

const nameOf = ({ actor, counter }: Dot): string => `${actor} ${counter}`

export class Ledger {
  readonly #operations = new Map<string, number>()
  readonly #applied = new Map<number, Growing>()
  readonly #meanings = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  readonly #homes = new Map<string, string>()
  readonly #rows = new Set<string>()
  readonly #reused = new Set<string>()

  /** Notes that a request with this id carries this operation. */
  issued(id: { readonly session: string; readonly sequence: number }, operation: number): void {
    this.#operations.set(`${id.session} ${id.sequence}`, operation)
  }

  /** Reads a row that reached a disk. */
  committed(key: RowKey, stored: StoredDocument): void {
    const place = `${key.bucket}/${key.partitionKey}`
    const row = `${place} ${Buffer.from(stored.header).toString("latin1")}`
    if (this.#rows.has(row)) return
    this.#rows.add(row)
    const held = Row.decode(stored)
    if (held instanceof Malformed) this.#reused.add(`${place}: a row that is no document`)
    else this.#read(place, held.document)
  }

  get applied(): ReadonlyMap<number, Applied> {
    return this.#applied
  }

  get reused(): ReadonlyArray<string> {
    return [...this.#reused].sort()
  }

  #read(place: string, document: Document): void {
    for (const actor of document.context.keys()) this.#only(this.#homes, actor, place, "an actor")
    for (const id of document.ids) {
      const request = `${id.session} ${id.sequence}`
      this.#only(this.#ids, nameOf(id), `${place} ${request}`, "a dot")
      const operation = this.#operations.get(request)
      if (operation === undefined) continue
      const { dots } = this.#growing(operation)
      if (!dots.some((dot) => nameOf(dot) === nameOf(id))) dots.push(id)
    }
    if (document.store !== undefined) this.#walk(place, document.store)
  }

  #walk(path: string, store: DotStore): void {
    switch (store.kind) {
      case "latest":
        return this.#value(path, store)
      case "values":
        for (const sibling of store.siblings) this.#value(path, sibling)
        return
      case "counter":
        for (const [actor, { added, counter, taken }] of store.totals) {
          this.#mean({ actor, counter }, `${path} +${added} -${taken}`)
        }
        return
      case "tree":
        for (const [key, child] of store.children) this.#walk(`${path}.${key}`, child)
    }
  }

  #value(path: string, entry: Dot & { readonly stamp: number; readonly value: string | null }) {
    this.#mean(entry, `${path} ${entry.stamp} ${entry.value}`)
    const operation = operationOf(entry.value === null ? undefined : entry.value.slice(1, -1))
    if (operation === undefined) return
    const { stamps } = this.#growing(operation)
    if (!stamps.includes(entry.stamp)) stamps.push(entry.stamp)
  }

  #mean(dot: Dot, meaning: string): void {
    this.#only(this.#meanings, nameOf(dot), meaning, "a dot")
  }

  #only(known: Map<string, string>, name: string, meaning: string, what: string): void {
    const before = known.get(name)
    if (before === undefined) known.set(name, meaning)
    else if (before !== meaning) this.#reused.add(`${what}, ${name}: ${before}, and ${meaning}`)
  }

  #growing(operation: number): Growing {
    let growing = this.#applied.get(operation)
    if (growing === undefined) {
      growing = { dots: [], stamps: [] }
      this.#applied.set(operation, growing)
    }
    return growing
  }
}
