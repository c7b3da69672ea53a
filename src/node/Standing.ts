/**
 * Keeps the standing of a node's store in its cluster, and what other nodes told, in rows of
 * metadata.
 */
import * as Formation from "../core/membership/Formation.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Note } from "../gossip/ToldPositions.ts"
import { metadataBatch, readMetadata } from "../storage/Metadata.ts"
import type { KeyedRow, StorageService } from "../storage/Storage.ts"

const standingName = "standing"
const toldName = "told"

/**
 * The standing of a store that is opened. One without is new if no node ever started on it; else it
 * is older than certificates, or the row is damaged, and its cluster has formed.
 */
const opened = (storage: StorageService): Formation.Standing => {
  const known = readStanding(storage)
  if (known !== undefined) return known
  const isNew = [standingName, "incarnation"].every((name) =>
    storage.readRow("metadata", [name])._tag === "Absent"
  )
  return isNew ? Formation.newStore : Formation.storeFromBefore
}

const readStanding = (storage: StorageService): Formation.Standing | undefined => {
  const text = readMetadata(storage, standingName)
  return text === undefined ? undefined : Formation.decode(text)
}

/**
 * The row that notes how many changes a start recovers. It belongs into the first batch of the
 * start: a later start must not take the changes of this one for recovered.
 */
export const rowOfStart = (storage: StorageService): KeyedRow => {
  const standing = Formation.begin(opened(storage), storage.committedChanges())
  const bytes = Buffer.from(Formation.encode(standing))
  return { family: "metadata", key: [standingName], bytes }
}

export const standingOf = (storage: StorageService): Formation.Standing =>
  readStanding(storage) ?? Formation.begin(Formation.storeFromBefore, 0)

/** Whether the certificate of formation names this store as the node's. */
export const isNamed = (storage: StorageService, node: NodeId): boolean => {
  const { certificate } = standingOf(storage)
  return certificate.formed && certificate.stores.get(node) === storage.storeId
}

const keepIn = (storage: StorageService, name: string): Note["keep"] => (text, done) => {
  storage.write(metadataBatch(name, text), (failure) => done(failure === undefined))
}

export const standingNote = (storage: StorageService): Note["keep"] => keepIn(storage, standingName)

export const toldNote = (storage: StorageService): Note => ({
  text: readMetadata(storage, toldName),
  keep: keepIn(storage, toldName)
})
