/**
 * Writes and reads the messages by which nodes form a cluster and learn of each other, without tag
 * and request.
 *
 * ```
 * Form    = introduction, by `FormationMessages`
 * Formed  = introduction, count of changes
 * Gossip  = by `core/membership/GossipMessage`
 * Ping    = version of the receiver that is known, 1 where it is suspect, else 0
 * PingFor = node, then as Ping
 * Pong    = node, then 0, or 1 and its version
 * ```
 */
import type { MemberTag, PeerMessage, PeerMessages } from "../../schemas/PeerMessage.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import {
  readGossip,
  readNode,
  readVersion,
  writeGossip,
  writeVersion
} from "../core/membership/GossipMessage.ts"
import { readIntroduction, writeIntroduction } from "./FormationMessages.ts"

type MembershipMessage = PeerMessages[MemberTag]

const membershipTags: ReadonlySet<string> = new Set<MemberTag>([
  "Form",
  "Formed",
  "Gossip",
  "Ping",
  "PingFor",
  "Pong"
])

export const isMemberTag = (tag: string): tag is MemberTag => membershipTags.has(tag)

export const isOfMembers = (message: PeerMessage): message is MembershipMessage =>
  isMemberTag(message._tag)

export const writeMembership = (writer: ByteWriter, message: MembershipMessage): void => {
  switch (message._tag) {
    case "Form":
      return writeIntroduction(writer, message)
    case "Formed":
      writeIntroduction(writer, message)
      writer.varint(message.told)
      return
    case "Gossip":
      return writeGossip(writer, message)
    case "PingFor":
    case "Ping":
      if (message._tag === "PingFor") writer.text(message.target)
      writeVersion(writer, message.known).byte(message.isSuspect ? 1 : 0)
      return
    case "Pong":
      writer.text(message.node).byte(message.version === undefined ? 0 : 1)
      if (message.version !== undefined) writeVersion(writer, message.version)
  }
}

const readFlag = (reader: ByteReader): boolean => {
  const at = reader.offset
  const flag = reader.byte("a flag")
  if (flag > 1) throw new Malformed("a flag", at)
  return flag === 1
}

/** Throws `Malformed`. */
export const readMembership = (
  reader: ByteReader,
  _tag: MemberTag,
  request: number
): MembershipMessage => {
  switch (_tag) {
    case "Form":
      return { _tag, request, ...readIntroduction(reader) }
    case "Formed":
      return { _tag, request, ...readIntroduction(reader), told: reader.varint("a count") }
    case "Gossip":
      return { _tag, request, ...readGossip(reader) }
    case "Ping":
      return { _tag, request, known: readVersion(reader), isSuspect: readFlag(reader) }
    case "PingFor": {
      const target = readNode(reader)
      return { _tag, request, target, known: readVersion(reader), isSuspect: readFlag(reader) }
    }
    case "Pong": {
      const node = readNode(reader)
      return { _tag, request, node, version: readFlag(reader) ? readVersion(reader) : undefined }
    }
  }
}
