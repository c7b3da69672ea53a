/**
 * Remembers the operations that this node has carried out, taken over, forwarded or refused, so
 * that a retry is answered and not applied again, and others learn which were not done here.
 *
 * Each one noted is an arrival, with the next number of this process. Beyond a bound the oldest are
 * forgotten: marks from before their numbers prove nothing any more. The rows of those that were
 * carried out or taken over lie on disk, and a start reads them; the rest ends with the process. A
 * mark proves nothing beyond its incarnation.
 *
 * Invariant: entries stand in the order of their arrivals.
 */
import type { Dot } from "../core/clock/Dot.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import * as Mark from "../core/operations/Mark.ts"
import { type OperationId, operationName } from "../core/operations/OperationId.ts"
import { fenceOf, type Memory, type Target } from "../core/operations/Proof.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { FamilyKeys, KeyedRow, Row, StorageService } from "../storage/Storage.ts"
import { ScanFailed } from "../storage/Storage.ts"
import * as OperationRow from "./OperationRow.ts"

type RowName = FamilyKeys["operation"]

/** The memory of an operation that was carried out, or taken over. */
interface Applied {
  readonly _tag: "Applied"
  readonly arrival: number
  readonly dot: Dot
  /** Where its row lies; undefined until the storage has taken it. */
  row: RowName | undefined
}

/** The memory of one operation on one document. */
export type Entry =
  | Applied
  | {
    readonly _tag: "Forwarded"
    readonly arrival: number
    readonly targets: ReadonlyArray<Target>
    readonly fencedAt: number
  }
  | { readonly _tag: "Fenced"; readonly arrival: number }

/** The rows to be written with a change, and what is to be done when the storage has taken them. */
export interface Noted {
  readonly rows: ReadonlyArray<Row>
  /** `sequences`: the numbers of the batch's changes. */
  readonly accepted: (sequences: ReadonlyArray<number>) => void
  /** The batch was not stored. */
  readonly failed: () => void
}

/** An operation that was looked for, and its entry where there is one. */
interface Found {
  readonly key: RowKey
  readonly id: OperationId
  readonly name: string
  readonly entry: Entry | undefined
}

const none: ReadonlyArray<never> = []

/** Rows read at once when they are loaded, and removed with one change. */
const loadedAtOnce = 1000
const removedAtOnce = 32

const isSame = (left: Dot, right: Dot): boolean =>
  left.actor === right.actor && left.counter === right.counter

export class OperationIndex {
  readonly #runtime: Pick<Runtime, "mark">
  readonly #incarnation: () => string
  readonly #max: number
  readonly #entries = new Map<string, Entry>()
  /**
   * Goes through the entries from the oldest on, as they are forgotten. A new iterator for each
   * would pass the places of all that the map has lost: 100,000 of them, for each write.
   */
  #oldestFirst: MapIterator<[string, Entry]> | undefined
  /** The number of the last row. */
  #lastRow = 0
  /** Rows of forgotten operations that are still on disk. */
  #doomed: Array<RowName> = []
  /** The last operation looked for: a request asks for its own several times. */
  #last: Found | undefined
  #arrivals = 0
  #evictedThrough = 0
  #evicted = 0

  constructor(options: {
    readonly runtime: Pick<Runtime, "mark">
    readonly storage: Pick<StorageService, "scanRows">
    /** The present incarnation, under which marks are given. */
    readonly incarnation: () => string
    readonly limits: Pick<NodeLimits, "operationIdsMax">
  }) {
    this.#runtime = options.runtime
    this.#incarnation = options.incarnation
    this.#max = options.limits.operationIdsMax
    this.#load(options.storage)
  }

  /** Operations that are remembered. */
  get kept(): number {
    return this.#entries.size
  }

  /** Operations that were forgotten, at the start too. */
  get evicted(): number {
    return this.#evicted
  }

  memory(): Memory {
    return {
      incarnation: this.#incarnation(),
      arrivals: this.#arrivals,
      evictedThrough: this.#evictedThrough
    }
  }

  /** The present mark, as text. */
  mark(): string {
    return Mark.encode({ incarnation: this.#incarnation(), arrivals: this.#arrivals })
  }

  find(key: RowKey, id: OperationId): Entry | undefined {
    return this.#find(key, id).entry
  }

  #find(key: RowKey, id: OperationId): Found {
    const last = this.#last
    if (last?.key === key && last.id === id) return last
    const name = operationName(key, id)
    return this.#last = { key, id, name, entry: this.#entries.get(name) }
  }

  /** Whether an operation is known to have made this dot. */
  hasApplied(key: RowKey, { dot, id }: OperationRow.AppliedOperation): boolean {
    const entry = this.find(key, id)
    return entry?._tag === "Applied" && entry.row !== undefined && isSame(entry.dot, dot)
  }

  /**
   * Notes that an operation was carried out, with the rows for the batch of its document.
   *
   * **Requires** that `hasApplied` is false, and that the batch is given to the storage at once.
   */
  applied(key: RowKey, operation: OperationRow.AppliedOperation): Noted {
    const { dot, id } = operation
    const { entry: before, name } = this.#find(key, id)
    const bytes = OperationRow.encode({ id, dot, document: key })
    const doomed = this.#doomed.length === 0 ? none : this.#doomed.splice(0, removedAtOnce)
    const entry: Applied = { _tag: "Applied", arrival: ++this.#arrivals, dot, row: undefined }
    let row: RowName | undefined
    const rowName = (sequences: ReadonlyArray<number>): RowName =>
      row ??= this.#nextRow(key.partition, sequences.at(-1)!)
    const own: Row = { family: "operation", key: rowName, bytes }
    const rows = doomed.length === 0 ? [own] : [own, ...doomed.map(removal)]
    return {
      rows,
      accepted: (sequences) => {
        entry.row = rowName(sequences)
        if (before?._tag === "Applied" && before.row !== undefined) this.#doomed.push(before.row)
        this.#put(name, entry, before)
      },
      failed: () => {
        for (const name of doomed) this.#doomed.push(name)
        // It was sent already, and may be sent still: that it was not done can never be said here.
        entry.row = undefined
      }
    }
  }

  /** Notes that an operation was sent to a node, under this mark. */
  forwarded(key: RowKey, id: OperationId, target: Target): void {
    const { entry: before, name } = this.#find(key, id)
    if (before?._tag === "Applied") return
    const targets = before?._tag === "Forwarded" ? before.targets : []
    const isNoted = targets.some(({ mark, node }) => node === target.node && mark === target.mark)
    if (isNoted) return
    const fencedAt = fenceOf(before)
    const forwarded = { targets: [...targets, target], fencedAt }
    this.#put(name, { _tag: "Forwarded", arrival: ++this.#arrivals, ...forwarded }, before)
  }

  /**
   * Notes that an operation was not done here, and may not be under a mark of before. What was
   * forwarded stays noted, unless those nodes have refused it (`isRefused`).
   */
  fence(key: RowKey, id: OperationId, { isRefused = false } = {}): void {
    const { entry: before, name } = this.#find(key, id)
    if (before?._tag === "Applied") return
    const arrival = ++this.#arrivals
    this.#put(
      name,
      before?._tag === "Forwarded" && !isRefused
        ? { ...before, arrival, fencedAt: arrival }
        : { _tag: "Fenced", arrival },
      before
    )
  }

  /**
   * Rows lie in the order of arrival, so that those of a commit share a page, and so do those that
   * it removes. Sequence numbers keep them ascending after a start that could read none.
   */
  #nextRow(partition: number, sequence: number): RowName {
    this.#lastRow = Math.max(this.#lastRow + 1, sequence)
    return [this.#lastRow, partition]
  }

  /** Puts an entry last, in place of one under the same name. */
  #put(name: string, entry: Entry, before: Entry | undefined): void {
    this.#last = undefined
    if (before !== undefined) this.#entries.delete(name)
    this.#entries.set(name, entry)
    if (this.#entries.size <= this.#max) return
    this.#oldestFirst ??= this.#entries.entries()
    const { value: oldest } = this.#oldestFirst.next()
    invariant(oldest !== undefined, "the entry that was just put comes last")
    this.#evict(...oldest)
  }

  #evict(name: string, entry: Entry): void {
    this.#entries.delete(name)
    if (entry._tag === "Applied" && entry.row !== undefined) this.#doomed.push(entry.row)
    this.#evictedThrough = entry.arrival
    this.#evicted++
    this.#runtime.mark("operations: the oldest is forgotten")
  }

  /**
   * Rows are forgotten by age, which their numbers tell. Those of earlier programs come first, by
   * partition: their numbers are those of an opening of the store, and then of a partition. A disk
   * that cannot tell its rows leaves none; no mark from before this start is valid.
   */
  #load(storage: Pick<StorageService, "scanRows">): void {
    const loaded: Array<Loaded> = []
    let after: RowName | undefined
    try {
      for (;;) {
        const page = storage.scanRows({
          family: "operation",
          under: [],
          after,
          limit: loadedAtOnce
        })
        for (const { bytes, key } of page) this.#loadRow(key, bytes, loaded)
        if (page.length < loadedAtOnce) break
        after = page.at(-1)!.key
      }
    } catch (error) {
      if (!(error instanceof ScanFailed)) throw error
      return
    }
    loaded.sort((left, right) => numberOf(left.row) - numberOf(right.row))
    for (const { dot, name, row } of loaded) {
      const before = this.#entries.get(name)
      this.#put(name, { _tag: "Applied", arrival: ++this.#arrivals, dot, row }, before)
    }
  }

  #loadRow(key: RowName, bytes: Uint8Array | undefined, loaded: Array<Loaded>): void {
    const decoded = bytes === undefined ? undefined : OperationRow.decode(bytes)
    if (decoded === undefined) {
      this.#doomed.push(key)
      return
    }
    const { document, dot, id } = decoded
    // So many are kept, and a decoded key has spare room.
    const row: RowName = [key[0], key[1]]
    this.#lastRow = Math.max(this.#lastRow, numberOf(row))
    const name = operationName({ ...document, partition: Math.min(...row) }, id)
    loaded.push({ name, dot, row })
  }
}

/** An operation as its row has it. */
interface Loaded {
  readonly name: string
  readonly dot: Dot
  readonly row: RowName
}

/** In rows of earlier programs it stands behind the partition; it is greater than each of these. */
const numberOf = (row: RowName): number => Math.max(...row)

const removal = (key: RowName): KeyedRow => ({ family: "operation", key, bytes: undefined })
