/**
 * Takes over an operation that another node has done, with the state that shows it, so that its
 * retry is answered here.
 */
import type { Fenced } from "../../schemas/PeerMessage.ts"
import { Malformed } from "../core/codec/Bytes.ts"
import * as DeltaCodec from "../core/crdt/DeltaCodec.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { documentOf } from "../replica/LocalDocument.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { owedHere } from "./SloppyTargets.ts"
import type { IdentifiedWrite } from "./ValidatedRequest.ts"

type Word = Fenced["word"]
type Known = Extract<Word, { readonly _tag: "Known" | "KnownSince" }>

export const isKnown = (word: Word): word is Known =>
  word._tag === "Known" || word._tag === "KnownSince"

type Services = Pick<CoordinatorContext, "node" | "replica" | "runtime" | "view">

/** The state that shows an operation, as it is to be joined here. Throws `Malformed`. */
const arrivalOf = ({ replica }: Services, { row }: IdentifiedWrite, known: Known) => {
  if (known._tag === "Known") {
    const { document: bytes } = known
    const { digest, document } = DocumentCodec.decodeWithDigest(bytes)
    return { document, encoded: { bytes, digest } }
  }
  if (known.edits.length === 0) return { document: documentOf(replica.read(row)) }
  // The bytes of the message are those of its frame, which is used again.
  return { edits: DeltaCodec.decode(known.edits), bytes: known.edits.slice() }
}

/** Joins the state that shows the operation; says whether the operation is known here now. */
export const joinKnown = (services: Services, write: IdentifiedWrite, known: Known): boolean => {
  const { replica, runtime } = services
  const { id, row: key } = write
  try {
    const operation = { id, dot: known.dot }
    const owed = owedHere(services, write)
    replica.join({ key, ...arrivalOf(services, write, known), operation, owed }, () => {})
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
  }
  const isApplied = replica.trace(key, id)?._tag === "Applied"
  if (isApplied) runtime.mark("operations: one is taken over from the node that has done it")
  return isApplied
}
