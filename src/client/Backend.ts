/**
 * Defines the ground under clients: it takes a request and answers once. In process it is the
 * node's own coordinator, remotely the transport; everything typed is built on top.
 */
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import type { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import type { Explanation } from "../../schemas/Explanation.ts"
import type { HintReport } from "../../schemas/HintReport.ts"
import type { KeyPage } from "../../schemas/KeyPage.ts"
import type { SyncReport } from "../../schemas/SyncReport.ts"
import type * as Request from "../coordinator/Request.ts"
import type { BucketName } from "../core/model/Names.ts"
import type { Principal } from "../core/model/Principal.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { TraceParent } from "../core/model/TraceParent.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Cancel } from "./Task.ts"

export type Action = "read" | "write"

/** A program may ask on behalf of a user. A remote node does not believe it. */
interface OnBehalf {
  readonly principal?: Principal
}

export interface BackendExplain extends Omit<Request.ExplainRequest, "principal">, OnBehalf {}

export interface BackendList extends Omit<Request.ListRequest, "principal">, OnBehalf {}

export interface BackendSync {
  /** All buckets unless one is named. */
  readonly bucket?: string
  /** When the answer comes at the latest. */
  readonly timeoutMillis?: number
}

export interface BackendRequest extends OnBehalf {
  readonly action: Action
  readonly bucket: BucketName
  readonly body: RequestBody
  /**
   * The name that the user gives this write. A write without one is named by its backend where that
   * sends it more than once.
   */
  readonly id?: string
  /** The span that it belongs to. */
  readonly trace?: TraceParent | undefined
}

export interface BackendAnswer {
  readonly _tag: "Answer"
  /** JSON values: none where nothing is stored, several where siblings were not merged. */
  readonly values: ReadonlyArray<unknown>
  /** The same as canonical JSON texts, where the backend has them: to be sent on as they are. */
  readonly texts?: ReadonlyArray<string>
  readonly context: string
  readonly replied: number
  readonly siblings: number
  readonly lost?: true
  /** A write was carried out, and its value is not shown: there are no `values`. */
  readonly unshown?: true
}

/** Called exactly once for each request. */
export type BackendRespond = (outcome: BackendAnswer | StoreError) => void

export interface BackendStatus {
  /** When the answer comes at the latest. */
  readonly timeoutMillis?: number
}

/** Questions about a node and its cluster. Left out by a backend without a node. */
export interface BackendQuestions {
  /** Has the node compare its documents with those of all others now, and repair both. */
  readonly sync?: (
    request: BackendSync,
    respond: (outcome: SyncReport | StoreError) => void
  ) => void
  /** Tells what the node keeps for other nodes. */
  readonly hints?: (respond: (outcome: HintReport | StoreError) => void) => void
  /** Has the node ask each other one for its state. */
  readonly status?: (
    request: BackendStatus,
    respond: (outcome: ClusterStatus | StoreError) => void
  ) => void
}

export interface Backend extends BackendQuestions {
  readonly runtime: Runtime
  /** Returns how to end the request at once, in `Cancelled`, where the backend can. */
  readonly request: (request: BackendRequest, respond: BackendRespond) => Cancel | void
  /** Shows people the state of a document on every replica. Returns as `request` does. */
  readonly explain: (
    request: BackendExplain,
    respond: (outcome: Explanation | StoreError) => void
  ) => Cancel | void
  /** A page of a bucket's keys; the next one after its `next`. Returns as `request` does. */
  readonly list: (
    request: BackendList,
    respond: (outcome: KeyPage | StoreError) => void
  ) => Cancel | void
  readonly describe: (respond: (outcome: ClusterDescription | StoreError) => void) => void
  /**
   * Why a request is refused whatever it asks for, so that its body need not be read; undefined
   * where it may be taken. Left out by a backend that tells it of single requests alone.
   */
  readonly overload?: () => StoreError | undefined
}
