/**
 * Keeps readers from what may vanish unseen: a document that is on its way to the disk is shown
 * once it is there, or once it was acknowledged from memory.
 *
 * Of a document with commits under way it holds the last version that may be shown, beside the
 * newest, on which operations work. So its memory is bounded by what waits for the disk. A read
 * that meets a commit waits for it a little while, and then shows the version before; one whose
 * session has seen what is under way waits until the commit ends, since the version before would
 * be refused to it. Versions that fail to commit are never shown.
 */
import * as VersionVector from "../core/clock/VersionVector.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import { runEach } from "../core/RunEach.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"
import type { LocalRead } from "./LocalDocument.ts"

export type ShownLimits = Pick<NodeLimits, "shownWaitMillis" | "shownWaitsMax">

/** Takes the version that may be shown. */
export type Show = (shown: LocalRead) => void

/** A read that waits until a version is committed. */
interface Waiting {
  readonly version: number
  readonly show: Show
  readonly cancel: Cancel | undefined
}

/** A document with commits under way. Its versions are numbered in their order. */
interface UnderWay {
  newest: number
  committed: LocalRead
  shown: LocalRead
  shownVersion: number
  /** Made for the first read that waits: most documents are on the disk before one comes. */
  waiting: Set<Waiting> | undefined
}

/** One version on its way to the disk. */
export interface CommitUnderWay {
  readonly name: string
  readonly document: UnderWay
  readonly version: number
  readonly local: LocalRead
  /** The number of failures before it: a failure takes all that was under way with it. */
  readonly failures: number
}

/** Counts of reads, which only grow, and how many wait now. */
export interface ShownStats {
  readonly readsDelayed: number
  /** Reads that were shown the version before the newest, since its commit took too long. */
  readonly readsOfVersionBefore: number
  readonly readsWaiting: number
}

export interface Reading {
  readonly key: RowKey
  /** The newest version, committed or not. */
  readonly newest: LocalRead
  /** The history that the reader's session has seen. */
  readonly after: VersionVector.VersionVector
}

export class ShownVersions {
  readonly #runtime: Runtime
  readonly #limits: ShownLimits
  readonly #documents = new Map<string, UnderWay>()
  #failures = 0
  #waiting = 0
  #delayed = 0
  #before = 0

  constructor(options: {
    readonly runtime: Runtime
    readonly limits: ShownLimits
  }) {
    this.#runtime = options.runtime
    this.#limits = options.limits
  }

  stats(): ShownStats {
    return {
      readsDelayed: this.#delayed,
      readsOfVersionBefore: this.#before,
      readsWaiting: this.#waiting
    }
  }

  /** Notes that `local` is on its way to the disk in place of `before`. */
  begin(key: RowKey, before: LocalRead, local: LocalRead): CommitUnderWay {
    const name = textOf(key)
    let document = this.#documents.get(name)
    if (document === undefined) {
      document = {
        newest: 0,
        committed: before,
        shown: before,
        shownVersion: 0,
        waiting: undefined
      }
      this.#documents.set(name, document)
    }
    const version = ++document.newest
    return { name, document, version, local, failures: this.#failures }
  }

  /** Notes that the newest version was acknowledged from memory, so that it may be shown. */
  acknowledge(key: RowKey, newest: LocalRead): void {
    const document = this.#documents.get(textOf(key))
    if (document === undefined) return
    document.shown = newest
    document.shownVersion = document.newest
    this.#wake(document, document.newest, newest)
  }

  /** Notes that a version is on the disk, and so are those before it. */
  committed({ document, failures, local, name, version }: CommitUnderWay): void {
    if (failures !== this.#failures) return
    document.committed = local
    if (version > document.shownVersion) {
      document.shown = local
      document.shownVersion = version
    }
    if (version === document.newest) this.#documents.delete(name)
    this.#wake(document, version, document.shown)
  }

  /** How often commits have failed, to be told with the next failure. */
  get failures(): number {
    return this.#failures
  }

  /**
   * Notes that nothing under way was committed: readers see the versions before. `failures` is the
   * count when the write that failed began, since one failure is told by each write that it took.
   */
  failed(failures: number): void {
    if (failures !== this.#failures) return
    this.#failures++
    const documents = [...this.#documents.values()]
    this.#documents.clear()
    runEach(documents, (document) => this.#wake(document, document.newest, document.committed))
  }

  /** The version that may be shown of a document with a commit under way; undefined without one. */
  underWay(key: RowKey): LocalRead | undefined {
    return this.#documents.size === 0 ? undefined : this.#documents.get(textOf(key))?.shown
  }

  /** Calls back with the version that may be shown: at once unless a commit is under way. */
  show({ after, key, newest }: Reading, show: Show): void {
    const document = this.#documents.size === 0 ? undefined : this.#documents.get(textOf(key))
    if (document === undefined || document.shownVersion === document.newest) return show(newest)
    if (this.#waiting >= this.#limits.shownWaitsMax) return this.#showBefore(document, show)
    this.#delayed++
    this.#waiting++
    this.#runtime.mark("replica: a read waits for a commit")
    const hasSeen = seesAhead(after, newest, document.shown)
    if (hasSeen) this.#runtime.mark("replica: a read waits for what its session has seen")
    const waiting: Waiting = {
      version: document.newest,
      show,
      cancel: hasSeen
        ? undefined
        : this.#runtime.after(this.#limits.shownWaitMillis, () => {
          document.waiting?.delete(waiting)
          this.#waiting--
          this.#showBefore(document, show)
        })
    }
    document.waiting ??= new Set()
    document.waiting.add(waiting)
  }

  #showBefore(document: UnderWay, show: Show): void {
    this.#before++
    this.#runtime.mark("replica: a read is shown the version before")
    show(document.shown)
  }

  /** Calls back the reads that wait for a version up to this one. */
  #wake(document: UnderWay, version: number, shown: LocalRead): void {
    const { waiting: reads } = document
    if (reads === undefined) return
    runEach(reads, (waiting) => {
      if (waiting.version > version) return
      reads.delete(waiting)
      this.#waiting--
      waiting.cancel?.()
      waiting.show(shown)
    })
  }
}

const contextOf = (local: LocalRead): VersionVector.VersionVector =>
  local._tag === "Found" ? local.document.context : VersionVector.empty

/** Whether a session has seen something that is under way, and not shown yet. */
const seesAhead = (
  after: VersionVector.VersionVector,
  newest: LocalRead,
  shown: LocalRead
): boolean => {
  const [ahead, before] = [contextOf(newest), contextOf(shown)]
  for (const [actor, counter] of after) {
    const has = before.get(actor) ?? 0
    if (counter > has && (ahead.get(actor) ?? 0) > has) return true
  }
  return false
}
