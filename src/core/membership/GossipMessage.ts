/**
 * Describes a message of gossip, and writes and reads it.
 *
 * ```
 * gossip     = 1 where the sender asks for what it lacks, else 0; root (8 bytes), count of groups,
 *              facts, suspicions, group hashes, listings, each a count and as many of them
 * facts      = node, version, store, status (a byte), least and greatest protocol, buckets (8
 *              bytes)
 * version    = term, incarnation, number
 * suspicion  = suspect, version, accuser
 * group hash = 4 bytes
 * listing    = group, then a count, and of each member two hashes of 4 bytes: id and facts
 * ```
 */
import { type ByteReader, type ByteWriter, Malformed } from "../codec/Bytes.ts"
import { NodeId } from "../model/Names.ts"
import type { MemberFacts } from "./MemberFacts.ts"
import * as Facts from "./MemberFacts.ts"
import { type Version, versionPartMax } from "./Version.ts"

/** A node believes that another, as of this version of it, does not answer. */
export interface Suspicion {
  readonly suspect: NodeId
  readonly version: Version
  readonly accuser: NodeId
}

/** The members of one group by hashes of their ids, each with one of what is known of it. */
export interface Listing {
  readonly group: number
  readonly members: ReadonlyArray<readonly [place: number, hash: number]>
}

export interface GossipMessage {
  /** Whether the sender begins a comparison: a receiver that knows anything else answers. */
  readonly asks: boolean
  /** A hash of all that the sender knows. */
  readonly root: string
  /** Into how many groups the members are divided by hashes of their ids; 0 without any. */
  readonly groupCount: number
  readonly facts: ReadonlyArray<MemberFacts>
  readonly suspicions: ReadonlyArray<Suspicion>
  /** A hash of each group; empty where the groups are not compared. */
  readonly groups: ReadonlyArray<number>
  readonly listings: ReadonlyArray<Listing>
}

const rootBytes = 8
const groupsMax = 1_024
const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u
const incarnationPattern = /^(?:[0-9a-z]{15})?$/u
const storePattern = /^[0-9a-z]{1,64}$/u

export const writeVersion = (writer: ByteWriter, version: Version): ByteWriter =>
  writer.varint(version.term).text(version.incarnation).varint(version.number)

const readMatching = (reader: ByteReader, pattern: RegExp, expected: string): string => {
  const at = reader.offset
  const text = reader.text(expected)
  if (!pattern.test(text)) throw new Malformed(expected, at)
  return text
}

export const readNode = (reader: ByteReader): NodeId =>
  NodeId.make(readMatching(reader, namePattern, "a node's id"))

const readUpTo = (reader: ByteReader, max: number, expected: string): number => {
  const at = reader.offset
  const value = reader.varint(expected)
  if (value > max) throw new Malformed(expected, at)
  return value
}

export const readVersion = (reader: ByteReader): Version => ({
  term: readUpTo(reader, versionPartMax, "a term"),
  incarnation: readMatching(reader, incarnationPattern, "an incarnation or none"),
  number: readUpTo(reader, versionPartMax, "a number of a version")
})

const writeFacts = (writer: ByteWriter, facts: MemberFacts): void => {
  const { buckets, node, protocols, status, store, version } = facts
  writeVersion(writer.text(node), version).text(store).byte(Facts.statuses.indexOf(status))
    .varint(protocols.least).varint(protocols.greatest).hex(buckets)
}

const readFacts = (reader: ByteReader): MemberFacts => {
  const node = readNode(reader)
  const version = readVersion(reader)
  const store = readMatching(reader, storePattern, "a store's id")
  const at = reader.offset
  const status = Facts.statuses[reader.byte("a member's status")]
  if (status === undefined) throw new Malformed("a member's status", at)
  const protocols = {
    least: reader.varint("a protocol's version"),
    greatest: reader.varint("a protocol's version")
  }
  return { node, version, store, status, protocols, buckets: reader.hex(rootBytes, "a digest") }
}

const writeSuspicion = (writer: ByteWriter, { accuser, suspect, version }: Suspicion): void => {
  writeVersion(writer.text(suspect), version).text(accuser)
}

const readSuspicion = (reader: ByteReader): Suspicion => ({
  suspect: readNode(reader),
  version: readVersion(reader),
  accuser: readNode(reader)
})

const writeHash = (writer: ByteWriter, hash: number): ByteWriter =>
  writer.byte(hash >>> 24).byte((hash >>> 16) & 0xff).byte((hash >>> 8) & 0xff).byte(hash & 0xff)

const readHash = (reader: ByteReader): number => {
  const high = (reader.byte("a hash") << 8) | reader.byte("a hash")
  return ((high << 16) | (reader.byte("a hash") << 8) | reader.byte("a hash")) >>> 0
}

const writeListing = (writer: ByteWriter, { group, members }: Listing): void => {
  writer.varint(group).varint(members.length)
  for (const [place, hash] of members) writeHash(writeHash(writer, place), hash)
}

const readListing = (reader: ByteReader, groupCount: number): Listing => {
  const at = reader.offset
  const group = reader.varint("a group")
  if (group >= groupCount) throw new Malformed("a group below their count", at)
  const read = (): readonly [number, number] => [readHash(reader), readHash(reader)]
  return { group, members: readMany(reader, 8, read) }
}

const readMany = <A>(reader: ByteReader, least: number, read: (reader: ByteReader) => A) => {
  const values: Array<A> = []
  for (let i = reader.count("values", least); i > 0; i--) values.push(read(reader))
  return values
}

export const writeGossip = (writer: ByteWriter, message: GossipMessage): void => {
  const { asks, facts, groupCount, groups, listings, root, suspicions } = message
  writer.byte(asks ? 1 : 0).hex(root).varint(groupCount).varint(facts.length)
  for (const known of facts) writeFacts(writer, known)
  writer.varint(suspicions.length)
  for (const suspicion of suspicions) writeSuspicion(writer, suspicion)
  writer.varint(groups.length)
  for (const hash of groups) writeHash(writer, hash)
  writer.varint(listings.length)
  for (const listing of listings) writeListing(writer, listing)
}

/** Throws `Malformed`. */
export const readGossip = (reader: ByteReader): GossipMessage => {
  const at = reader.offset
  const asks = reader.byte("a flag")
  if (asks > 1) throw new Malformed("a flag", at)
  const root = reader.hex(rootBytes, "a hash")
  const groupCount = readUpTo(reader, groupsMax, "a count of groups")
  const facts = readMany(reader, 30, readFacts)
  const suspicions = readMany(reader, 7, readSuspicion)
  const groupsAt = reader.offset
  const groups = readMany(reader, 4, readHash)
  if (groups.length > 0 && groups.length !== groupCount) {
    throw new Malformed("a hash of each group", groupsAt)
  }
  const listings = readMany(reader, 2, () => readListing(reader, groupCount))
  return { asks: asks === 1, root, groupCount, facts, suspicions, groups, listings }
}
