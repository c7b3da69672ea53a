/**
 * Takes over an operation that another node has done, with the state that shows it, so that its
 * retry is answered here.
 */
import type { Fenced } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { IdentifiedWrite } from "./ValidatedRequest.ts"

type Known = Extract<Fenced["word"], { readonly _tag: "Known" }>

/** Joins the state that shows the operation; says whether the operation is known here now. */
export const joinKnown = (
  { replica, runtime }: Pick<CoordinatorContext, "replica" | "runtime">,
  { id, row }: IdentifiedWrite,
  { document: bytes, dot }: Known
): boolean => {
  try {
    const { digest, document } = DocumentCodec.decodeWithDigest(bytes)
    const encoded = { bytes, digest }
    replica.join({ key: row, document, encoded, operation: { id, dot } }, () => {})
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
  }
  const isKnown = replica.trace(row, id)?._tag === "Applied"
  if (isKnown) runtime.mark("operations: one is taken over from the node that has done it")
  return isKnown
}
