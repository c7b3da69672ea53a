/**
 * Names the questions that a coordinator takes and the answers that it gives, whichever way a
 * request came in.
 */
import type { Sender } from "../../schemas/ClientAnswer.ts"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { ExplainBody } from "../../schemas/Explanation.ts"
import type { ListBody } from "../../schemas/KeyPage.ts"
import type { BucketName } from "../core/model/Names.ts"
import type { Principal } from "../core/model/Principal.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { TraceParent } from "../core/model/TraceParent.ts"

export interface Request {
  /** The client's identity, as the first node learnt it. */
  readonly principal: Principal
  readonly action: "read" | "write"
  readonly bucket: string
  readonly body: RequestBody
  /** Whether another node forwarded it: then it is carried out here or refused. */
  readonly forwarded: boolean
  /** Whether the message that it came in was taken as a whole; else it is judged by itself. */
  readonly isAdmitted?: boolean
  /** The span that it belongs to. */
  readonly trace?: TraceParent | undefined
}

export interface Answer {
  readonly _tag: "Answer"
  /** Canonical JSON: none where nothing is stored, several where siblings were not merged. */
  readonly values: ReadonlyArray<string>
  /** The sealed context, for the next write or the session's next read. */
  readonly context: string
  readonly replied: number
  /** How many siblings are in `values`, or were merged into the one. */
  readonly siblings: number
  /** The session has seen what is lost for ever; it is told once, and `context` forgets it. */
  readonly lost?: true
  /** A write was carried out that cannot be shown: there are no `values`. */
  readonly unshown?: true
}

/** The address to which the answer of one request is delivered. */
export interface AnswerAddress<A> {
  /** Called exactly once; `sender` where the request reached a coordinator. */
  readonly deliver: (outcome: A | StoreError, sender?: Sender) => void
}

/** Asks every primary for its state of one document. */
export interface ExplainRequest extends Omit<ExplainBody, "id"> {
  readonly principal: Principal
  readonly bucket: BucketName
  readonly trace?: TraceParent | undefined
}

/** Asks for one page of a bucket's keys. */
export interface ListRequest extends Omit<ListBody, "id"> {
  readonly principal: Principal
  readonly bucket: BucketName
  readonly trace?: TraceParent | undefined
}
