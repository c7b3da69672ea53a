/**
 * Keeps what clients did and what they were told: the only thing that checkers judge by, besides
 * what is there in the end.
 */
import type { PlannedOperation } from "./Plan.ts"

/**
 * `ok`: acknowledged. `fail`: promised not to have applied. `info`: nobody can tell; it may have
 * applied, or still will.
 */
export type Outcome = "ok" | "fail" | "info"

/** What a client was shown of a document. */
export interface Shown {
  /** The view as JSON; undefined where nothing is there. */
  readonly value: unknown
  /** The sealed context, which checkers may open with the cluster's key. */
  readonly context: string
}

export interface Event {
  readonly operation: PlannedOperation
  readonly invokedAt: number
  readonly endedAt: number
  readonly outcome: Outcome
  /** The tag and message of the error; undefined for `ok`. */
  readonly error: string | undefined
  /** What the operation had read before it wrote; undefined where it did not read. */
  readonly saw: Shown | undefined
  /** What it was answered; undefined unless `ok`. */
  readonly result: Shown | undefined
  /** The node that carried it out. */
  readonly node: string
}

/** What every replica holds of every document in the end, and what each node answers for it. */
export interface FinalDocument {
  readonly bucket: string
  readonly key: string
  /** By node: what a read with all replicas through this node showed. */
  readonly shown: ReadonlyMap<string, Shown>
  /** By node: digest of the replica's document, "absent" or "damaged". */
  readonly digests: ReadonlyMap<string, string>
  /** By node: actors in the context, siblings or leaves, bytes: for bounds on metadata. */
  readonly sizes: ReadonlyMap<
    string,
    { readonly actors: number; readonly leaves: number; readonly bytes: number }
  >
}

/** One whole run, as checkers see it. */
export interface Record {
  /** In the order in which they ended. */
  readonly events: ReadonlyArray<Event>
  readonly final: ReadonlyArray<FinalDocument>
  /** Nodes whose disks lost or damaged something: what only they acknowledged is forfeit. */
  readonly damaged: ReadonlySet<string>
  readonly incarnations: ReadonlyArray<{ readonly node: string; readonly incarnation: string }>
  /** Requests to healthy, reachable nodes with `available` consistency that were not answered. */
  readonly unavailable: ReadonlyArray<string>
  /** Writes that storage did in the quiet time after everything had converged. */
  readonly idleWrites: number
}

/** What a checker found wrong: which promise, where, and in a sentence why. */
export interface Violation {
  readonly checker: string
  readonly bucket: string
  readonly key: string
  readonly problem: string
}

/** A promise, checked over a whole run. */
export interface Checker {
  readonly name: string
  /** In a sentence, for the README and the failure report. */
  readonly promise: string
  readonly check: (record: Record) => ReadonlyArray<Violation>
}
