/**
 * Remembers the documents that this replica keeps for other nodes, which could not be reached when
 * they were written: to whom each is owed, and since when.
 *
 * Each is a row, written with its document; many for one document and target are one. The line of a
 * target is in the order in which the documents were first owed. Memory knows the rows that are on
 * the disk or on their way: of two hints for one document, one that is only in memory would let the
 * other end without the copy, which a restart would then leave for ever.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, section 4.6 (hinted handoff)
 */
import * as Schema from "effect/Schema"
import type { Incarnation } from "../core/model/Incarnation.ts"
import type { HandoffLimits } from "../core/model/HandoffLimits.ts"
import { NodeId } from "../core/model/Names.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { Runtime } from "../core/Runtime.ts"
import {
  type FamilyKeys,
  type KeyedRow,
  type OnCommit,
  ScanFailed,
  type StorageFailure,
  type StorageService
} from "../storage/Storage.ts"
import type { Commits } from "./Commits.ts"
import * as HintRow from "./HintRow.ts"
import { type End, HintsUnderWay } from "./HintsUnderWay.ts"
import type { LocalRead } from "./LocalDocument.ts"

/** The nodes for which a document is kept here. */
export interface Owed {
  readonly targets: ReadonlyArray<NodeId>
  /** Of the bucket; empty where it is not known. */
  readonly fingerprint: string
}

/** One document that is owed to one node. */
export interface Hint extends HintRow.HintRow {
  readonly target: NodeId
  readonly arrival: number
}

/** What is owed to one node. */
export interface OwedTo {
  readonly target: NodeId
  readonly hints: number
  readonly bytes: number
  /** Wall clock, of the oldest. */
  readonly sinceMillis: number
}

export interface HintStats {
  readonly hints: number
  readonly hintBytes: number
  /** These only grow. */
  readonly hintsRefused: number
  readonly hintsUnreadable: number
}

/** The rows of hints for their batch, and what is to be done where that is not stored. */
export interface NotedHints {
  readonly rows: ReadonlyArray<KeyedRow>
  /** Called with the refusal of the batch; with nothing where it was accepted. */
  readonly ended: (refusal: StorageFailure | undefined) => void
  /** The same for the end of its commit, before `onCommit`. */
  readonly ending: (onCommit: OnCommit) => OnCommit
}

interface Line {
  readonly hints: Map<string, Hint>
  bytes: number
}

/** Of a hint beside its document: row, key and memory. */
const hintBytes = 512
const isNodeId = Schema.is(NodeId)
/** Rows read at once when they are loaded. */
const loadedAtOnce = 1_000

export class Hints {
  readonly #runtime: Pick<Runtime, "mark" | "now">
  readonly #bytesMax: number
  readonly #lines = new Map<NodeId, Line>()
  /** To how many nodes each document is owed. */
  readonly #debts = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  readonly #underWay = new HintsUnderWay<Hint>((target, key, stored) =>
    this.#goBack(target, key, stored)
  )
  #lastArrival = 0
  #bytes = 0
  #size = 0
  #refused = 0
  #unreadable = 0
  #failedScans = 0
  readonly #storage: Pick<StorageService, "scanRows">
  /** Whether the disk has told all its rows; else some are owed that nobody knows here. */
  #isWhole = false
  /** Rows behind it are not known until all are: nothing is written there meanwhile. */
  #loadedThrough: FamilyKeys["hint"] | undefined

  constructor(options: {
    readonly runtime: Pick<Runtime, "mark" | "now">
    readonly storage: Pick<StorageService, "scanRows">
    readonly limits: Pick<HandoffLimits, "hintBytesMax">
  }) {
    this.#runtime = options.runtime
    this.#bytesMax = options.limits.hintBytesMax
    this.#storage = options.storage
    while (!this.#isWhole && this.loadNext());
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /** Hints that are kept, their bytes, and how many were refused or could not be read. */
  stats(): HintStats {
    return {
      hints: this.#size,
      hintBytes: this.#bytes,
      hintsRefused: this.#refused,
      hintsUnreadable: this.#unreadable + this.#failedScans
    }
  }

  /** By target. */
  owed(): ReadonlyArray<OwedTo> {
    return [...this.#lines].map(([target, { bytes, hints }]) => {
      const [oldest] = hints.values()
      return { target, hints: hints.size, bytes, sinceMillis: oldest?.sinceMillis ?? 0 }
    })
  }

  targets(): ReadonlyArray<NodeId> {
    return [...this.#lines.keys()]
  }

  /** The nodes to which a document is owed. */
  targetsOf(key: RowKey): ReadonlyArray<NodeId> {
    const name = textOf(key)
    if (!this.#debts.has(name)) return []
    return this.targets().filter((target) => this.#lines.get(target)?.hints.has(name))
  }

  /** The hints of a target, the oldest first, and those that come before the last is taken. */
  *of(target: NodeId): Generator<Hint, undefined> {
    const line = this.#lines.get(target)
    if (line !== undefined) yield* line.hints.values()
    return undefined
  }

  find(target: NodeId, key: RowKey): Hint | undefined {
    return this.#lines.get(target)?.hints.get(textOf(key))
  }

  /** Calls back after each new hint. */
  onHint(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /** Why no hint for the document is taken; undefined where it is. A known one is always. */
  refusal(key: RowKey, { targets }: Owed): string | undefined {
    const isKnown = targets.every((target) => this.find(target, key) !== undefined)
    if (isKnown || this.#isWhole && this.#bytes < this.#bytesMax) return undefined
    this.#refused++
    // The place of a new row could be that of one that is not known.
    if (!this.#isWhole) return "its disk cannot tell what it keeps for other nodes"
    this.#runtime.mark("hint: a node that keeps too much refuses another one")
    return `it keeps ${this.#bytes} bytes for other nodes, of ${this.#bytesMax} that it may`
  }

  /** Notes to whom a document is owed, and makes the rows that go into its batch. */
  note(key: RowKey, { fingerprint, targets }: Owed, bytes: number): NotedHints {
    const { bucket, partition, partitionKey, sortKey } = key
    const plain = { bucket, partition, partitionKey, sortKey }
    const noted = targets.map((target) => {
      const before = this.find(target, key)
      const { arrival } = before ?? this.#underWay.stored(target, key)
        ?? { arrival: ++this.#lastArrival }
      const sinceMillis = before?.sinceMillis ?? Math.max(this.#runtime.now(), 0)
      const hint: Hint = { target, arrival, key: plain, fingerprint, sinceMillis, bytes }
      const end = this.#underWay.begin(target, plain, { before, after: hint })
      this.#put(hint)
      return { hint, end }
    })
    const end = (how: End) => {
      for (const one of noted) one.end(how)
    }
    return {
      rows: noted.map(({ hint }) => ({
        family: "hint",
        key: [hint.target, hint.arrival],
        bytes: HintRow.encode(hint)
      })),
      ended: (refusal) => {
        if (refusal !== undefined) end("refused")
        else for (const listener of this.#listeners) listener()
      },
      ending: (onCommit) => (failure) => {
        end(failure === undefined ? "stored" : "failed")
        onCommit(failure)
      }
    }
  }

  /** Removes a hint, and its document where that is dropped, in one batch. */
  end(
    hint: Hint,
    { before, commits, incarnation, isDropped }: {
      readonly commits: Pick<Commits, "remove">
      readonly before: LocalRead
      readonly incarnation: Incarnation
      readonly isDropped: boolean
    },
    onCommit: OnCommit
  ): void {
    const key = isDropped ? hint.key : undefined
    const { arrival, target } = hint
    const row: KeyedRow = { family: "hint", key: [target, arrival], bytes: undefined }
    const known = this.find(target, hint.key)
    const end = this.#underWay.begin(target, hint.key, { before: known, after: undefined })
    // A version that is owed from then on has a hint of its own.
    if (known !== undefined) this.#forget(known)
    let failed: End = "refused"
    commits.remove({ key, before, incarnation, rows: [row] }, (failure) => {
      end(failure === undefined ? "stored" : failed)
      onCommit(failure)
    })
    failed = "failed"
  }

  /** Whether no other node is owed the document, as far as all rows could be read. */
  isLast(key: RowKey): boolean {
    return this.#isWhole && this.#unreadable === 0 && (this.#debts.get(textOf(key)) ?? 0) <= 1
  }

  #forget(hint: Hint): void {
    const line = this.#lines.get(hint.target)
    const name = textOf(hint.key)
    if (line === undefined || !line.hints.delete(name)) return
    line.bytes -= hint.bytes + hintBytes
    this.#bytes -= hint.bytes + hintBytes
    this.#size--
    if (line.hints.size === 0) this.#lines.delete(hint.target)
    const debts = (this.#debts.get(name) ?? 1) - 1
    if (debts === 0) this.#debts.delete(name)
    else this.#debts.set(name, debts)
  }

  /** Knows of a hint what the disk has, where its last write failed. */
  #goBack(target: NodeId, key: RowKey, stored: Hint | undefined): void {
    const known = this.find(target, key)
    if (stored !== undefined) this.#put(stored)
    else if (known !== undefined) this.#forget(known)
  }

  #put(hint: Hint): void {
    let line = this.#lines.get(hint.target)
    if (line === undefined) {
      line = { hints: new Map(), bytes: 0 }
      this.#lines.set(hint.target, line)
    }
    const name = textOf(hint.key)
    const before = line.hints.get(name)
    if (before === undefined) {
      this.#size++
      this.#debts.set(name, (this.#debts.get(name) ?? 0) + 1)
    } else this.#runtime.mark("hint: many for one document are one")
    const more = before === undefined ? hint.bytes + hintBytes : hint.bytes - before.bytes
    line.bytes += more
    this.#bytes += more
    line.hints.set(name, hint)
    this.#lastArrival = Math.max(this.#lastArrival, hint.arrival)
  }

  /**
   * Reads the next rows; false where the disk cannot tell them now. Those stay as they are until it
   * can: no copy goes meanwhile, and no hint is taken.
   */
  loadNext(): boolean {
    if (this.#isWhole) return true
    const after = this.#loadedThrough
    try {
      const scan = { family: "hint", under: [], after, limit: loadedAtOnce } as const
      const page = this.#storage.scanRows(scan)
      for (const { bytes, key } of page) this.#loadRow(key, bytes)
      this.#isWhole = page.length < loadedAtOnce
      this.#loadedThrough = page.at(-1)?.key
      return true
    } catch (error) {
      if (!(error instanceof ScanFailed)) throw error
      this.#failedScans++
      return false
    }
  }

  #loadRow([target, arrival]: FamilyKeys["hint"], bytes: Uint8Array | undefined): void {
    const row = bytes === undefined ? undefined : HintRow.decode(bytes)
    this.#lastArrival = Math.max(this.#lastArrival, arrival)
    if (row === undefined || !isNodeId(target)) {
      this.#unreadable++
      return
    }
    this.#put({ ...row, target, arrival })
  }
}
