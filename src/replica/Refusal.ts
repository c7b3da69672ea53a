/**
 * Words the refusals by a node's disk or load, which would refuse any other document as well. A
 * node that sends many knows them by how they begin, whichever version its peer runs.
 */
import { type StorageFailure, StorageFailureKind } from "../storage/Storage.ts"

export const noWrites = "the disk takes no writes"

export const inWords = ({ detail, kind }: StorageFailure): string => `${kind}: ${detail}`

const beginnings = [noWrites, ...StorageFailureKind.literals.map((kind) => `${kind}: `)]

/** Whether a refusal is by the node's disk or load, and not for the sake of one document. */
export const isOfNode = (refusal: string): boolean =>
  beginnings.some((beginning) => refusal.startsWith(beginning))
