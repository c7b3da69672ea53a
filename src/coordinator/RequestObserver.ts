/**
 * Lets metrics and traces follow requests, without the coordinator's knowing of either.
 */
import { operationOf } from "../core/model/OperationName.ts"
import type { TraceParent } from "../core/model/TraceParent.ts"
import type { Request } from "./Request.ts"

/** The names of a request. Bucket and operation are a client's text: nothing of it is checked. */
export interface RequestNames {
  readonly bucket: string
  /** Such as `get`, `lines.add`, `list`; `edit` where it has several operations. */
  readonly operation: string
  /** Whether a client sent it to this node, or another node forwarded it. */
  readonly origin: "client" | "node"
  /** The span that it belongs to. */
  readonly trace: TraceParent | undefined
}

export interface RequestEnd {
  /** `ok`, or the name of the error. */
  readonly outcome: string
  readonly millis: number
  /** Of the values in the answer. */
  readonly characters: number
}

/** Follows one request that was taken. */
export interface Observation {
  /** Called once, before the answer is delivered. */
  readonly ended: (end: RequestEnd) => void
  /** The span to name where the request is forwarded. */
  readonly trace?: TraceParent | undefined
}

export interface RequestObserver {
  readonly begin: (request: RequestNames) => Observation
}

/** The names of a read or write. */
export const namesOf = ({ action, body, bucket, forwarded, trace }: Request): RequestNames => {
  const operation = operationOf(action, body.calls)
  return { bucket, operation, origin: forwarded ? "node" : "client", trace }
}
