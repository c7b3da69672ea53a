/**
 * Lists the keys under which this replica holds a live document: not those of deleted documents,
 * which it keeps as tombstones, nor of expired ones, nor of damaged ones, which other replicas
 * list.
 */
import { pageMax } from "../../schemas/KeyPage.ts"
import type { KeyCursor } from "../../schemas/PeerMessage.ts"
import { visibleStore } from "../core/crdt/Document.ts"
import { isLive } from "../core/crdt/DotStore.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import { isEncoded } from "../core/model/DocumentKey.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import { compareText } from "../storage/KeyOrder.ts"
import { ScanFailed } from "../storage/Storage.ts"
import type { LocalRead } from "./LocalDocument.ts"
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

const isHeld = (local: LocalRead, nowMillis: number): boolean =>
  local._tag === "Found" && isLive(visibleStore(local.document, nowMillis))

export const liveKeys = (
  replica: Replica,
  options: {
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
): KeysFound | Unlisted => {
  const { after, bucket, limits, partitionCount } = options
  const keys: Array<KeyCursor> = []
  const end = Math.min(partitionCount, after.partition + limits.scanPartitions)
  let left = Math.min(options.limit, pageMax)
  let { key, partition } = after
  let { completeness } = options
  try {
    while (partition < end && left > 0) {
      const asked = Math.min(left, limits.scanRows)
      const rows = replica.scan({
        partition,
        after: { partition, bucket, partitionKey: key.partition, sortKey: key.sort },
        limit: asked
      }).filter((row) => row.bucket === bucket)
      for (const row of rows) {
        key = { partition: row.partitionKey, sort: row.sortKey }
        // A damaged key names no document, and no node would take it.
        if (!isEncoded(key.partition) || !isEncoded(key.sort)) {
          completeness = "incomplete"
          continue
        }
        const local = replica.shownNow(row)
        if (isHeld(local, options.nowMillis)) keys.push({ partition, key })
        if (local._tag === "Damaged" || replica.mended.has(row)) completeness = "incomplete"
      }
      left -= rows.length
      if (rows.length === asked) continue
      partition++
      key = beforeAll
    }
  } catch (error) {
    if (error instanceof ScanFailed) return { _tag: "Unlisted", reason: error.message }
    throw error
  }
  return { _tag: "KeysFound", keys, through: { partition, key }, completeness }
}
