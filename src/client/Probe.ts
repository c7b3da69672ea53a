/**
 * Writes the copy of a request by which a node that was passed over is tried: it changes nothing,
 * and only the fact that it is answered counts. A user who may send the request may send the copy.
 */
import type { BackendRequest } from "./Backend.ts"
import { RequestText } from "./RequestText.ts"

export interface ProbeName {
  /** By which its answer is told from those of requests. */
  readonly id: number
  /** No request of the session has this sequence. */
  readonly session: string
  readonly sequence: number
}

/** A read as it is; of a write, the question after the node's mark. */
export const probeText = (
  request: BackendRequest,
  { id, sequence, session }: ProbeName
): RequestText => {
  const { action, body: { mark: _mark, operationId: _operationId, tried: _tried, ...body } } =
    request
  const named = action === "read" ? {} : { operationId: { session, sequence }, mark: "" }
  return new RequestText(request, JSON.stringify({ ...body, id, ...named }))
}
