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
import { type HashWords, md5Words } from "../core/Hash.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import * as Mark from "../core/operations/Mark.ts"
import { type OperationId, operationName } from "../core/operations/OperationId.ts"
import { fenceOf, type Memory, type Target } from "../core/operations/Proof.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { FamilyKeys, KeyedRow, Row, StorageService } from "../storage/Storage.ts"
import { ScanFailed } from "../storage/Storage.ts"
import { type AppliedOperation, AppliedOperations } from "./AppliedOperations.ts"
import * as OperationRow from "./OperationRow.ts"

type RowName = FamilyKeys["operation"]

/** The memory of one operation on one document. */
export type Entry = ({ readonly _tag: "Applied" } & AppliedOperation) | Unapplied

/** An operation that was not carried out here. */
type Unapplied =
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
  readonly hash: HashWords
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
  /** Nearly all that is remembered. */
  #applied = new AppliedOperations()
  readonly #unapplied = new Map<string, Unapplied>()
  /**
   * Goes through the unapplied ones from the oldest on, as they are forgotten. A new iterator for
   * each would pass the places of all that the map has lost: 100,000 of them, for each write.
   */
  #oldestFirst: MapIterator<[string, Unapplied]> | undefined
  /** The last that it came to, which is the oldest until it is removed. */
  #oldestUnapplied: readonly [string, Unapplied] | undefined
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
    return this.#applied.size + this.#unapplied.size
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
    const hash = md5Words(name)
    return this.#last = { key, id, name, hash, entry: this.#entryOf(name, hash) }
  }

  #entryOf(name: string, hash: HashWords): Entry | undefined {
    const unapplied = this.#unapplied.size === 0 ? undefined : this.#unapplied.get(name)
    if (unapplied !== undefined) return unapplied
    const applied = this.#applied.get(hash)
    return applied && { _tag: "Applied", ...applied }
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
    const found = this.#find(key, id)
    const { entry: before, hash } = found
    const bytes = OperationRow.encode({ id, dot, document: key })
    const doomed = this.#doomed.length === 0 ? none : this.#doomed.splice(0, removedAtOnce)
    const arrival = ++this.#arrivals
    let row: RowName | undefined
    const rowName = (sequences: ReadonlyArray<number>): RowName =>
      row ??= this.#nextRow(key.partition, sequences.at(-1)!)
    const own: Row = { family: "operation", key: rowName, bytes }
    const rows = doomed.length === 0 ? [own] : [own, ...doomed.map(removal)]
    return {
      rows,
      accepted: (sequences) => {
        if (before?._tag === "Applied" && before.row !== undefined) this.#doomed.push(before.row)
        this.#put(found, { _tag: "Applied", arrival, dot, row: rowName(sequences) })
      },
      failed: () => {
        for (const name of doomed) this.#doomed.push(name)
        // It was sent already, and may be sent still: that it was not done can never be said here.
        this.#last = undefined
        this.#applied.forgetRow(hash, arrival)
      }
    }
  }

  /** Notes that an operation was sent to a node, under this mark. */
  forwarded(key: RowKey, id: OperationId, target: Target): void {
    const found = this.#find(key, id)
    const { entry: before } = found
    if (before?._tag === "Applied") return
    const targets = before?._tag === "Forwarded" ? before.targets : []
    const isNoted = targets.some(({ mark, node }) => node === target.node && mark === target.mark)
    if (isNoted) return
    const fencedAt = fenceOf(before)
    const forwarded = { targets: [...targets, target], fencedAt }
    this.#put(found, { _tag: "Forwarded", arrival: ++this.#arrivals, ...forwarded })
  }

  /**
   * Notes that an operation was not done here, and may not be under a mark of before. What was
   * forwarded stays noted, unless those nodes have refused it (`isRefused`).
   */
  fence(key: RowKey, id: OperationId, { isRefused = false } = {}): void {
    const found = this.#find(key, id)
    const { entry: before } = found
    if (before?._tag === "Applied") return
    const arrival = ++this.#arrivals
    this.#put(
      found,
      before?._tag === "Forwarded" && !isRefused
        ? { ...before, arrival, fencedAt: arrival }
        : { _tag: "Fenced", arrival }
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

  /** Puts an entry last, in place of the one that was found. */
  #put(
    { entry: before, hash, name }: Pick<Found, "name" | "hash" | "entry">,
    entry: Entry
  ): void {
    this.#last = undefined
    if (before?._tag === "Applied") this.#applied.delete(hash)
    else if (before !== undefined) this.#unapplied.delete(name)
    if (entry._tag === "Applied") this.#applied.add(hash, entry)
    else this.#unapplied.set(name, entry)
    if (this.kept > this.#max) this.#evict()
  }

  #evict(): void {
    const unapplied = this.#oldestOfUnapplied()
    let arrival = this.#applied.oldest
    if (unapplied !== undefined && unapplied[1].arrival < arrival) {
      arrival = unapplied[1].arrival
      this.#unapplied.delete(unapplied[0])
    } else {
      const applied = this.#applied.takeOldest()
      invariant(applied !== undefined, "where too many are kept, one is the oldest")
      if (applied.row !== undefined) this.#doomed.push(applied.row)
    }
    this.#evictedThrough = arrival
    this.#evicted++
    this.#runtime.mark("operations: the oldest is forgotten")
  }

  #oldestOfUnapplied(): readonly [string, Unapplied] | undefined {
    while (this.#unapplied.size > 0) {
      const oldest = this.#oldestUnapplied
      if (oldest !== undefined && this.#unapplied.get(oldest[0]) === oldest[1]) return oldest
      this.#oldestFirst ??= this.#unapplied.entries()
      const { done, value } = this.#oldestFirst.next()
      // One that came to an end while there was none finds none that come later.
      if (done) this.#oldestFirst = undefined
      else this.#oldestUnapplied = value
    }
    return this.#oldestUnapplied = undefined
  }

  /**
   * Rows are forgotten by age, which their numbers tell. Those of earlier programs come first, by
   * partition: their numbers are those of an opening of the store, and then of a partition. A disk
   * that cannot tell its rows leaves none; no mark from before this start is valid.
   */
  #load(storage: Pick<StorageService, "scanRows">): void {
    let earlier: Array<Loaded> = []
    const takeEarlier = (): void => {
      earlier.sort((left, right) => numberOf(left.row) - numberOf(right.row))
      for (const loaded of earlier) this.#take(loaded)
      earlier = []
    }
    let after: RowName | undefined
    try {
      for (;;) {
        const page = storage.scanRows({
          family: "operation",
          under: [],
          after,
          limit: loadedAtOnce
        })
        for (const { bytes, key } of page) {
          const loaded = this.#read(key, bytes)
          if (loaded === undefined) continue
          if (isOfEarlier(key)) earlier.push(loaded)
          else {
            if (earlier.length > 0) takeEarlier()
            this.#take(loaded)
          }
        }
        if (page.length < loadedAtOnce) break
        after = page.at(-1)!.key
      }
      takeEarlier()
    } catch (error) {
      if (!(error instanceof ScanFailed)) throw error
      this.#applied = new AppliedOperations()
      this.#evictedThrough = this.#arrivals
    }
  }

  #take({ dot, name, row }: Loaded): void {
    const hash = md5Words(name)
    const entry = this.#entryOf(name, hash)
    this.#put({ name, hash, entry }, { _tag: "Applied", arrival: ++this.#arrivals, dot, row })
  }

  #read(key: RowName, bytes: Uint8Array | undefined): Loaded | undefined {
    const decoded = bytes === undefined ? undefined : OperationRow.decode(bytes)
    if (decoded === undefined) {
      this.#doomed.push(key)
      return undefined
    }
    const { document, dot, id } = decoded
    this.#lastRow = Math.max(this.#lastRow, numberOf(key))
    return { name: operationName({ ...document, partition: Math.min(...key) }, id), dot, row: key }
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
const isOfEarlier = ([first, second]: RowName): boolean => first < second

const removal = (key: RowName): KeyedRow => ({ family: "operation", key, bytes: undefined })
