/**
 * Lists the keys under which this replica holds a live document: not those of deleted documents,
 * which it keeps as tombstones, nor of expired ones, nor of damaged ones, which other replicas
 * list.
 */
import { pageMax } from "../../schemas/KeyPage.ts"
import type { KeyCursor } from "../../schemas/PeerMessage.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import { isEncoded } from "../core/model/DocumentKey.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { WorkQueue } from "../core/WorkQueue.ts"
import { compareText } from "../storage/KeyOrder.ts"
import { ScanFailed } from "../storage/Storage.ts"
import type { Replica } from "./Replica.ts"

/** Every live key after the given key, up to and with `through`. */
export interface KeysFound {
  readonly _tag: "KeysFound"
  readonly keys: ReadonlyArray<KeyCursor>
  readonly through: KeyCursor
  /** `incomplete` too where a document that was looked at is damaged, or was replaced so. */
  readonly completeness: Completeness
}

export type Unlisted = { readonly _tag: "Unlisted"; readonly reason: string }

export type ScanLimits = Pick<NodeLimits, "scanRows" | "scanPartitions">

const beforeAll = { partition: "", sort: "" }

/** The cursor before all keys of a partition; that of partition Q is behind everything. */
export const startOf = (partition: number): KeyCursor => ({ partition, key: beforeAll })

export const compareCursors = (a: KeyCursor, b: KeyCursor): number =>
  a.partition - b.partition
  || compareText(a.key.partition, b.key.partition)
  || compareText(a.key.sort, b.key.sort)

export interface LiveKeysOptions {
  readonly bucket: string
  readonly after: KeyCursor
  /** Documents looked at, tombstones included. */
  readonly limit: number
  readonly partitionCount: number
  /** Expired documents are not listed. */
  readonly nowMillis: number
  /** Of the replica, but for documents that are damaged, or were. */
  readonly completeness: Completeness
  readonly limits: ScanLimits
}

/** Looks through the documents after a cursor, a few in each step. */
class LiveKeys {
  readonly #replica: Replica
  readonly #options: LiveKeysOptions
  readonly #keys: Array<KeyCursor> = []
  readonly #end: number
  #at: KeyCursor
  #left: number
  #completeness: Completeness

  constructor(replica: Replica, options: LiveKeysOptions) {
    const { after: { key, partition }, completeness, limit, limits, partitionCount } = options
    this.#replica = replica
    this.#options = options
    this.#end = Math.min(partitionCount, partition + limits.scanPartitions)
    this.#at = { partition, key }
    this.#left = Math.min(limit, pageMax)
    this.#completeness = completeness
  }

  get found(): KeysFound {
    const completeness = this.#completeness
    return { _tag: "KeysFound", keys: this.#keys, through: this.#at, completeness }
  }

  /** Looks at the next rows of a partition; says whether there may be more. */
  step(): boolean {
    if (this.#at.partition >= this.#end || this.#left <= 0) return false
    const { bucket, limits: { scanRows } } = this.#options
    const { key, partition } = this.#at
    const asked = Math.min(this.#left, scanRows)
    const rows = this.#replica.scan({
      partition,
      after: { partition, bucket, partitionKey: key.partition, sortKey: key.sort },
      limit: asked
    }).filter((row) => row.bucket === bucket)
    for (const row of rows) this.#look(row)
    this.#left -= rows.length
    if (rows.length < asked) this.#at = startOf(partition + 1)
    return this.#at.partition < this.#end && this.#left > 0
  }

  #look(row: RowKey): void {
    const { nowMillis } = this.#options
    const { partition, partitionKey, sortKey } = row
    const key = { partition: partitionKey, sort: sortKey }
    this.#at = { partition, key }
    // A damaged key names no document, and no node would take it.
    if (!isEncoded(partitionKey) || !isEncoded(sortKey)) {
      this.#completeness = "incomplete"
      return
    }
    const liveness = this.#replica.liveness(row)
    const isHeld = typeof liveness === "string" ? liveness === "always" : liveness.until > nowMillis
    if (isHeld) this.#keys.push(this.#at)
    if (liveness === "damaged" || this.#replica.mended.has(row)) this.#completeness = "incomplete"
  }
}

/** Finds live keys in turns, and tells them at the end; an exception is told as a reason. */
export const findLiveKeys = (
  { replica, work }: { readonly replica: Replica; readonly work: WorkQueue },
  options: LiveKeysOptions,
  tell: (found: KeysFound | Unlisted) => void
): void => {
  const scan = new LiveKeys(replica, options)
  const takes = work.add(() => {
    try {
      if (scan.step()) return true
    } catch (error) {
      tell({ _tag: "Unlisted", reason: error instanceof Error ? error.message : String(error) })
      if (error instanceof ScanFailed) return false
      throw error
    }
    tell(scan.found)
    return false
  })
  if (!takes) tell({ _tag: "Unlisted", reason: "too many messages wait" })
}
