/**
 * Keeps the standing of a node's store in its cluster, and what other nodes told, in rows of
 * metadata.
 */
import * as Formation from "../core/membership/Formation.ts"
import * as StandingCodec from "../core/membership/StandingCodec.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Note } from "../gossip/ToldPositions.ts"
import { metadataBatch } from "../storage/Metadata.ts"
import type { KeyedRow, RowResult, StorageService } from "../storage/Storage.ts"

const standingName = "standing"
const toldName = "told"

/**
 * The standing of a store that is opened. One that has no row is new if no node ever started on it,
 * or older than certificates, and then its cluster has formed. An older one does not count its
 * changes either: a store that counts some and has no row lost it.
 */
const opened = (storage: StorageService): Formation.Standing => {
  const row = storage.readRow("metadata", [standingName])
  if (row._tag !== "Absent") return readStanding(row) ?? Formation.lostStanding
  if (storage.committedChanges() > 0) return Formation.lostStanding
  const isNew = storage.readRow("metadata", ["incarnation"])._tag === "Absent"
  return isNew ? Formation.newStore : Formation.storeFromBefore
}

/** Undefined where the row is no standing, or damaged. */
const readStanding = (row: RowResult): Formation.Standing | undefined =>
  row._tag === "Found" ? StandingCodec.decode(Buffer.from(row.bytes).toString()) : undefined

/**
 * The row that notes how many changes a start recovers. It belongs into the first batch of the
 * start: a later start must not take the changes of this one for recovered.
 */
export const rowOfStart = (storage: StorageService): KeyedRow => {
  const standing = Formation.begin(opened(storage), storage.committedChanges())
  const bytes = Buffer.from(StandingCodec.encode(standing))
  return { family: "metadata", key: [standingName], bytes }
}

export const standingOf = (storage: StorageService): Formation.Standing =>
  readStanding(storage.readRow("metadata", [standingName])) ?? Formation.lostStanding

/** Whether the certificate of formation names this store as the node's. */
export const isNamed = (storage: StorageService, node: NodeId): boolean => {
  const standing = standingOf(storage)
  const { formed, stores } = standing.certificate
  return formed && stores.get(node) === Formation.nameOf(standing, storage.storeId)
}

const keepIn = (storage: StorageService, name: string): Note["keep"] => (text, done) => {
  storage.write(metadataBatch(name, text), (failure) => done(failure === undefined))
}

export const standingNote = (storage: StorageService): Note["keep"] => keepIn(storage, standingName)

export const toldNote = (storage: StorageService): Note => {
  const row = storage.readRow("metadata", [toldName])
  return {
    text: row._tag === "Found" ? Buffer.from(row.bytes).toString() : undefined,
    isDamaged: row._tag === "Damaged",
    keep: keepIn(storage, toldName)
  }
}
