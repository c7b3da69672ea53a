/**
 * Lists the services that all requests of this coordinator share: the rest of the node, and the
 * tables that requests are found in, counted by and bounded by.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { TokenSeal } from "../core/clock/CausalContext.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import type { Document } from "../core/crdt/Document.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { ReadLimits } from "../core/model/ReadLimits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { WorkQueue } from "../core/WorkQueue.ts"
import type { ClusterView } from "../gossip/ClusterView.ts"
import type { Replica } from "../replica/Replica.ts"
import type { ScanLimits } from "../replica/LiveKeys.ts"
import type { InFlightRequests, ResendLimits, Waiting } from "../transport/InFlightRequests.ts"
import type { TransportService } from "../transport/Transport.ts"
import type { Admission, AdmissionLimits } from "./Admission.ts"
import type { ChecksUnderWay } from "./ChecksUnderWay.ts"
import type { CoordinatorCounters } from "./CoordinatorCounters.ts"
import type { DocumentsUnderWay } from "./DocumentsUnderWay.ts"
import type { KeptAnswers } from "./KeptAnswers.ts"
import type { LateReplyBudget } from "./LateReplyBudget.ts"
import type { PeerMarks } from "./PeerMarks.ts"
import type { RequestObserver } from "./RequestObserver.ts"

/** The bounds of coordination. */
export type CoordinatorLimits = Pick<
  NodeLimits,
  | "readTimeoutMillis"
  | "writeTimeoutMillis"
  | "lateReplyMillis"
  | "lateReplyBytesMax"
  | "forwardGraceMillis"
  | "forwardsSeenMax"
  | "pageKeys"
  | "callsMax"
  | "contextsMax"
  | "deferralChecksMax"
  | keyof ReadLimits
  | "shownBytesMax"
  | keyof AdmissionLimits
  | keyof ScanLimits
  | keyof ResendLimits
>

/** The rest of the node, as coordination sees it. */
export interface NodeServices {
  readonly runtime: Runtime
  readonly node: NodeId
  readonly view: ClusterView
  readonly replica: Replica
  /** Sends at the end of the turn; may be lost. */
  readonly send: (to: NodeId, message: PeerMessage) => void
  /** Calls back once the broker has answered everything that it got before. */
  readonly flush: TransportService["flush"]
  /** The incarnation of a node in its last frame; empty where none came. */
  readonly incarnationOf: (node: NodeId) => string
  /** Of the own replica, for a document. */
  readonly completenessOf: (key: RowKey) => Completeness
  /** The same of the replica, but for documents that are damaged, or were. */
  readonly completeness: () => Completeness
  /** Tells the other nodes at the end of the turn how many changes are durable here. */
  readonly tellPosition: () => void
  /** Takes note of an exception that ended one request, and of its place in words. */
  readonly failed: (failure: unknown, where: string) => void
  /** In which listings take their turns. */
  readonly work: WorkQueue
  /** Follows the requests that are taken; left out where nobody looks. */
  readonly observer?: RequestObserver | undefined
  readonly seal: TokenSeal
  readonly limits: CoordinatorLimits
}

/** A document in the memory of a request, which will bring it to the replicas. */
export interface HeldDocument {
  readonly row: RowKey
  readonly document: Document
}

/** A request that waits for other nodes' answers. */
export interface Gathering extends Waiting {
  /** Of what may be shown. Left out where it brings the replicas no document. */
  readonly held?: () => HeldDocument | undefined
  readonly hear: (from: NodeId, message: PeerMessage) => void
  /** Whether the time until this node's answer says how long answers take. */
  readonly measures: (node: NodeId) => boolean
}

export interface CoordinatorContext extends NodeServices {
  readonly admission: Admission
  readonly counters: CoordinatorCounters
  readonly inFlight: InFlightRequests<Gathering>
  readonly lateReplies: LateReplyBudget
  readonly checksUnderWay: ChecksUnderWay
  readonly answers: KeptAnswers
  readonly documentsUnderWay: DocumentsUnderWay
  readonly peerMarks: PeerMarks
  /** The number of the next sending of a forwarded request. */
  readonly nextSending: () => number
}
