/**
 * Keeps the clients' operations and their outcomes. Checkers judge by these, by the last reads, and
 * by the dots that the writes were given.
 */
import type { Dot } from "../../core/clock/Dot.ts"
import type { VersionVector } from "../../core/clock/VersionVector.ts"
import type { PlannedOperation } from "./Plan.ts"

/**
 * `ok`: acknowledged. `fail`: promised not to have applied. `info`: unknown; it may have applied,
 * or still will.
 */
export type Outcome = "ok" | "fail" | "info"

/** A document as a client was shown it. */
export interface Shown {
  /** JSON of the view, siblings as a list; undefined where nothing is there. */
  readonly value: unknown
  /** The context that came with it, opened. */
  readonly vector: VersionVector
  readonly stamp: number
}

export interface Event {
  readonly operation: PlannedOperation
  /** In virtual milliseconds. */
  readonly invokedAt: number
  readonly endedAt: number
  readonly outcome: Outcome
  /** The tag and message of the error; undefined for `ok`. */
  readonly error: string | undefined
  /** The entry whose context the operation brought; undefined where it brought none. */
  readonly saw: Shown | undefined
  /** Its answer; undefined unless `ok`. */
  readonly result: Shown | undefined
  /** How often its last request was sent. */
  readonly sendings: number
  /** How often it is applied at most, as promised: once, unless its client chose otherwise. */
  readonly timesMax: number
  /** Whether its user named it: then it is known only while a node that can be reached keeps it. */
  readonly isNamed: boolean
  /** The node that gave its answer. */
  readonly answeredBy: string | undefined
  /** Dots that its answers showed, and that no disk ever had by then. */
  readonly unwritten?: ReadonlyArray<string>
  /** There where its session was told that something is lost. */
  readonly lost?: Lost
  /** How far any node's clock had been off until it ended; Infinity where that is not known. */
  readonly clockErrorMillis?: number
}

/** Dots that a session was told to be lost, and which of them a disk has all the same. */
export interface Lost {
  readonly dots: ReadonlyArray<string>
  readonly held: ReadonlyArray<string>
}

/** The traces of one operation in storage, on any node at any time. */
export interface Applied {
  /** The dots it was given; several where it was applied more than once. */
  readonly dots: ReadonlyArray<Dot>
  /** Their stamps; empty where the bucket has none. */
  readonly stamps: ReadonlyArray<number>
}

/** An event that no node with an intact disk may cause. */
export interface Lapse {
  readonly node: string
  readonly problem: string
}

/** A disk lost data that it had synced. */
export interface Loss {
  readonly node: string
  /** In virtual milliseconds. */
  readonly at: number
  /**
   * The only document that is concerned, where its row is gone, or an earlier one is back, without
   * a trace in the file; undefined where the whole disk went back or was lost.
   */
  readonly document: string | undefined
}

/** The metadata of a document at one replica: its actors, and how many values. */
export interface Size {
  readonly actors: ReadonlyArray<string>
  readonly leaves: number
  /** Removals that wait for dots. */
  readonly deferrals?: number
}

/** The last state of a document at every replica, and the last read through each node. */
export interface FinalDocument {
  readonly bucket: string
  readonly key: string
  /** By node: the view of a read with all replicas through this node, or its error. */
  readonly shown: ReadonlyMap<string, Shown | string>
  /** By node: digest of the replica's document, "absent" or "damaged". */
  readonly digests: ReadonlyMap<string, string>
  /** The nodes that are to hold it. */
  readonly primaries: ReadonlyArray<string>
  readonly sizes: ReadonlyMap<string, Size>
}

/** A document whose owners held different states before any last read. */
export interface Unrepaired {
  readonly bucket: string
  readonly key: string
  /** Digest of each owner's document, "absent" or "damaged". */
  readonly held: ReadonlyArray<{ readonly node: string; readonly digest: string }>
}

/** A minute after the heal, where nodes compare their documents; empty where they do not. */
export interface Unread {
  readonly documents: ReadonlyArray<Unrepaired>
  /** Whether each node read all its rows meanwhile, and so found those that its disk changed. */
  readonly isScrubbed: boolean
  /** Writes, repairs, and versions found to differ, in the rest that follows. */
  readonly idleWrites: number
  readonly idleRepairs: number
  readonly idleDifferences: number
}

/** One whole run, as checkers see it. */
export interface Record {
  /** In the order in which they ended. */
  readonly events: ReadonlyArray<Event>
  readonly final: ReadonlyArray<FinalDocument>
  /** Sessions whose reads must never go back. */
  readonly guarded: ReadonlySet<number>
  /** By operation. */
  readonly applied: ReadonlyMap<number, Applied>
  /** By operation: the dots that it was given, whether or not they reached a disk. */
  readonly made: ReadonlyMap<number, ReadonlyArray<Dot>>
  /** By operation: the nodes that gave it these dots. */
  readonly makers: ReadonlyMap<number, ReadonlySet<string>>
  /** By operation: since when each node has had it on disk. */
  readonly copies: ReadonlyMap<number, ReadonlyMap<string, number>>
  /** Dots that were seen to mean two things, and actors seen in two documents. */
  readonly reused: ReadonlyArray<string>
  /** Rows that are no documents, and similar faults. */
  readonly lapses: ReadonlyArray<Lapse>
  /** Nodes whose disks lost or damaged data: a write that only they acknowledged is forfeit. */
  readonly damaged: ReadonlySet<string>
  /** The losses of disks that their files do not tell. */
  readonly losses: ReadonlyArray<Loss>
  /** Nodes of which two processes ran: one may refuse a request that the other carries out. */
  readonly twinned: ReadonlySet<string>
  readonly incarnations: ReadonlyArray<{ readonly node: string; readonly incarnation: string }>
  /** Requests to healthy, reachable nodes with `available` consistency that were not answered. */
  readonly unavailable: ReadonlyArray<string>
  readonly unread: Unread
  /** What nodes believed of each other and should not have, in a sentence each. */
  readonly beliefs: ReadonlyArray<string>
  /**
   * Of whole disks: documents that are still kept for other nodes in the end, or went before those
   * had them, in a sentence each.
   */
  readonly owed?: ReadonlyArray<string>
  /** What a store that was filled lacks all the same, in a sentence each. */
  readonly unfilled?: ReadonlyArray<string>
  /** Writes that storage did in the quiet time after everything had converged. */
  readonly idleWrites: number
}

/** A broken promise that a checker found: which promise, where, and in a sentence why. */
export interface Violation {
  readonly checker: string
  readonly bucket: string
  readonly key: string
  readonly problem: string
}

/** A promise, checked over a whole run. */
export interface Checker {
  readonly name: string
  /** In a sentence, for people. */
  readonly promise: string
  readonly check: (record: Record) => ReadonlyArray<Violation>
}
