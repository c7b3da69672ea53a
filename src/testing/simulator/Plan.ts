/**
 * Describes a run before it begins: operations, faults, and the size of the cluster. A plan is
 * plain data; running it again repeats the run, and leaving items out of it shrinks a failure.
 */
import type { AdmissionLimits } from "../../coordinator/Admission.ts"
import type { AntiEntropyLimits } from "../../core/model/AntiEntropyLimits.ts"
import type { DetectorLimits } from "../../core/membership/DetectorState.ts"
import type { GossipLimits } from "../../core/membership/GossipState.ts"
import type { HandoffLimits } from "../../core/model/HandoffLimits.ts"
import type { NodeLimits } from "../../core/model/Limits.ts"
import type { Consistency } from "../../core/model/Settings.ts"
import type { LogLimits, StorageLimits } from "../../storage/StorageOptions.ts"

/**
 * The context of a write: none, that of a read right before, or that of an entry that the session
 * read earlier, perhaps long ago.
 */
export type Seen = "nothing" | "fresh" | "kept"

/** One operation of a simulated client. Values are named after the operation, `o17`. */
export type PlannedAction =
  | { readonly kind: "read" }
  /** Writes a value: blindly, or in place of the values that were seen. */
  | { readonly kind: "put"; readonly seen: Seen }
  | { readonly kind: "delete"; readonly seen: Seen }
  /** Adds to a set, to a line of a document, or to a cart. */
  | { readonly kind: "add"; readonly item: string; readonly seen: Seen }
  | { readonly kind: "remove"; readonly item: string; readonly seen: Seen }
  /** Adds 4 to the power of `digit` to a counter, so that each digit of the sum counts one. */
  | { readonly kind: "increment"; readonly digit: number }
  /** Sets the one field of a document that is a register. */
  | { readonly kind: "title"; readonly seen: Seen }

/** One of an application's own operations; its input follows from the operation's id. */
export interface Step {
  readonly kind: "step"
  readonly name: string
}

export interface PlannedOperation {
  /** Names the operation and its value; stable when others are taken out. */
  readonly id: number
  readonly atMillis: number
  /** Operations of a session follow one another. */
  readonly session: number
  /** The node that the session asks. */
  readonly node: string
  readonly bucket: string
  /** A text, or JSON where the bucket's keys have fields. */
  readonly key: string
  readonly consistency: Consistency
  readonly action: PlannedAction | Step
}

/** One fault: its class, when it begins, and numbers that its class explains. */
export interface PlannedFault {
  readonly id: number
  readonly fault: string
  readonly atMillis: number
  readonly forMillis: number
  readonly node: string
  readonly other: string
  readonly amount: number
}

/** The limits under which every promise holds, however small they are. */
export type PlannedLimits = Partial<
  Pick<
    NodeLimits,
    | "lateReplyBytesMax"
    | "frameBytesTarget"
    | "frameBufferBytes"
    | "spareBytesMax"
    | "reassemblyBytesMax"
    | "reassemblyPartsMax"
    | "firstPauseMillis"
    | "resendMinMillis"
    | "resendMaxMillis"
    | "sweepMillis"
    | "lastIssuedDotsMax"
    | "deltaPercentMax"
    | "recentEditsMax"
    | "shownBytesMax"
    | "recentEditsBytesMax"
    | "frameWindow"
    | "frameWindowsMax"
    | "formAskMillis"
    | "toldMillis"
    | "mendedDocumentsMax"
    | "shownWaitMillis"
    | "shownWaitsMax"
    | "deferralChecksMax"
    | "readAllPercent"
    | "lateReadMinMillis"
    | "operationIdsMax"
    | "forwardsSeenMax"
    | "counterUpdatesMax"
    | "documentActorsMax"
    | "documentBytesMax"
    | "elementsMax"
    | "siblingsMax"
    | "skewMillis"
    | "clockWindowMillis"
    | "clockSamplesMax"
    | "greetMillis"
    | "processCheckMillis"
    | "partsPauseMillis"
    | "partsAsksMax"
    | "partsInFlightBytesMax"
    | "partsWaitingBytesMax"
    | "finishedRunsMax"
    | "sentRunsBytesMax"
    | "sentRunMillis"
    | "turnStepsMax"
    | keyof DetectorLimits
    | keyof GossipLimits
    | "gossipMillis"
    | "gossipAtOnceMillis"
    | keyof HandoffLimits
    | keyof AdmissionLimits
    | keyof AntiEntropyLimits
    | keyof StorageLimits
    | keyof LogLimits
  >
>

export interface Plan {
  readonly seed: number
  readonly nodes: ReadonlyArray<string>
  readonly partitionCount: number
  /** Sessions whose reads must never go back; the others give no such promise. */
  readonly guarded: ReadonlyArray<number>
  /** Share of answers, until healing, that are lost on the way to clients, which then ask again. */
  readonly answerLoss: number
  /** Share of clients' messages, until healing, that come late; none unless said otherwise. */
  readonly lateShare?: number
  readonly chaosMillis: number
  /** The greatest message that the network takes; longer ones travel in parts. */
  readonly maxPayloadBytes: number
  /** The size of each node's cache; documents that are not in it are read from disk. */
  readonly cacheBytesMax: number
  /** Limits of the nodes that differ from the simulator's usual ones. */
  readonly limits?: PlannedLimits
  /** The kind of the nodes' disks: a model, or real databases where the run is given any. */
  readonly disk: "model" | "sqlite"
  readonly operations: ReadonlyArray<PlannedOperation>
  readonly faults: ReadonlyArray<PlannedFault>
}

/** The value that an operation writes. */
export const valueOf = (operation: { readonly id: number }): string => `o${operation.id}`

/** The operation that wrote a value; undefined where none could have. */
export const operationOf = (value: unknown): number | undefined => {
  const match = typeof value === "string" ? /^o(\d+)$/u.exec(value) : null
  return match === null ? undefined : Number(match[1])
}

export const isWrite = (operation: PlannedOperation): boolean => operation.action.kind !== "read"

/** Names the document of an operation. */
export const documentNameOf = (
  document: { readonly bucket: string; readonly key: string }
): string => `${document.bucket}/${document.key}`
