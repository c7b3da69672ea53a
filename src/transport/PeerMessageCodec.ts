/**
 * Writes and reads messages between nodes.
 *
 * ```
 * message = tag, request, the ring's digest where the tag depends on the ring, the tag's own fields
 * ```
 *
 * A `Store` that names its operation has a tag of its own, and so has a `Fence` with a history.
 * `Hinted` is a `Store` or a `StoreDelta` with a hint: target, inner tag, the inner fields.
 */
import type {
  Fetched,
  KeyCursor,
  PeerMessage,
  PeerTag,
  Store,
  StoreDelta
} from "../../schemas/PeerMessage.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { completenesses } from "../core/model/Completeness.ts"
import * as VersionVector from "../core/clock/VersionVectorCodec.ts"
import { readAntiEntropy, writeAntiEntropy } from "./AntiEntropyMessages.ts"
import {
  readFence,
  readFenced,
  readFenceSince,
  readOperation,
  writeFence,
  writeFenced,
  writeOperation
} from "./OperationMessages.ts"
import { isMemberTag, isOfMembers, readMembership, writeMembership } from "./MembershipMessages.ts"
import {
  digestPattern,
  readCompleteness,
  readFlag,
  readKeyHalf,
  readMatching,
  readName,
  readNode,
  writeName
} from "./MessageFields.ts"
import {
  readFetchedSince,
  readStoreDelta,
  writeFetchedSince,
  writeStoreDelta
} from "./DeltaMessages.ts"

/** `NamedStore` is a `Store` with its operation, `FenceSince` a `Fence` with a history. */
type WireTag = PeerTag | "NamedStore" | "FenceSince" | "Hinted"

const wireTagOf = (message: PeerMessage): WireTag => {
  const isStore = message._tag === "Store" || message._tag === "StoreDelta"
  return isStore && message.hintFor !== undefined ? "Hinted" : plainTagOf(message)
}

/** The tag without a look at hints. */
const plainTagOf = (message: PeerMessage): Exclude<WireTag, "Hinted"> => {
  if (message._tag === "Store" && message.operation !== undefined) return "NamedStore"
  if (message._tag === "Fence" && message.since !== undefined) return "FenceSince"
  return message._tag
}

const tags = [
  "Store",
  "Stored",
  "Fetch",
  "Fetched",
  "Refused",
  "Forward",
  "Forwarded",
  "List",
  "Listed",
  "OtherRing",
  "FetchAfter",
  "Fence",
  "Fenced",
  "NamedStore",
  "Form",
  "Formed",
  "StoreDelta",
  "NeedsBase",
  "FetchSince",
  "FetchedSince",
  "FenceSince",
  "AntiEntropy",
  "Gossip",
  "Ping",
  "PingFor",
  "Pong",
  "Hinted",
  "Handoff",
  "HandedOff",
  "Question",
  "Told"
] as const satisfies ReadonlyArray<WireTag>
/** Requests that are right on one ring only. All other messages are taken on any. */
const ringDependent: ReadonlySet<WireTag> = new Set([
  "Store",
  "Fetch",
  "List",
  "Forward",
  "FetchAfter",
  "NamedStore",
  "StoreDelta",
  "FetchSince",
  "Hinted"
])
const ringDigestBytes = 8
const outcomes = ["same", "found", "absent", "damaged"] as const
const reasonLengthMax = 500

const writeCursor = (writer: ByteWriter, { key, partition }: KeyCursor): ByteWriter =>
  writer.varint(partition).text(key.partition).text(key.sort)

/** Appends a message; `ringDigest` is that of the ring that the sender serves. */
export const writeMessage = (
  writer: ByteWriter,
  message: PeerMessage,
  ringDigest: string
): void => {
  writer.byte(tags.indexOf(wireTagOf(message))).varint(message.request)
  if (ringDependent.has(message._tag)) writer.hex(ringDigest)
  const isStore = message._tag === "Store" || message._tag === "StoreDelta"
  if (isStore && message.hintFor !== undefined) {
    writer.text(message.hintFor).byte(tags.indexOf(plainTagOf(message)))
  }
  writeFields(writer, message)
}

const writeFields = (writer: ByteWriter, message: PeerMessage): void => {
  if (message._tag === "AntiEntropy") return writeAntiEntropy(writer, message.body)
  if (isOfMembers(message)) return writeMembership(writer, message)
  switch (message._tag) {
    case "Store":
      writeName(writer, message).byte(message.sync ? 1 : 0).bytes(message.document)
      if (message.operation !== undefined) writeOperation(writer, message.operation)
      return
    case "Stored":
      writer.byte(message.durable ? 1 : 0)
        .byte(completenesses.indexOf(message.completeness))
      return
    case "Fetch":
      writeName(writer, message).text(message.digest)
      return
    case "FetchAfter":
    case "FetchSince":
      VersionVector.write(writeName(writer, message).text(message.digest), message.after)
      if (message._tag === "FetchSince") VersionVector.write(writer, message.since)
      return
    case "Fetched":
      writer.byte(outcomes.indexOf(message.outcome)).bytes(message.document)
        .byte(completenesses.indexOf(message.completeness))
      return
    case "Refused":
      writer.text(message.reason.slice(0, reasonLengthMax).toWellFormed())
      return
    case "Forward":
    case "Forwarded":
    case "Question":
    case "Told":
      writer.bytes(message.body)
      return
    case "List":
      writeName(writer, message).varint(message.partition).varint(message.limit)
      return
    case "Listed":
      writeCursor(writer, message.through).varint(message.keys.length)
      for (const key of message.keys) writeCursor(writer, key)
      writer.byte(completenesses.indexOf(message.completeness))
      return
    case "OtherRing":
      writer.hex(message.digest)
      return
    case "Fence":
      writeFence(writeName(writer, message), message)
      return
    case "Fenced":
      writeFenced(writer, message)
      return
    case "StoreDelta":
      writeStoreDelta(writeName(writer, message), message)
      return
    case "NeedsBase":
      VersionVector.write(writer, message.context)
      return
    case "FetchedSince":
      writeFetchedSince(writer, message)
      return
    case "Handoff":
      writeName(writer, message).bytes(message.document)
      return
    case "HandedOff":
      writer.text(message.refusal.slice(0, reasonLengthMax).toWellFormed())
  }
}

const readCursor = (reader: ByteReader): KeyCursor => {
  const partition = reader.varint("a partition")
  return { partition, key: { partition: readKeyHalf(reader), sort: readKeyHalf(reader) } }
}

const readCursors = (reader: ByteReader): ReadonlyArray<KeyCursor> => {
  const keys: Array<KeyCursor> = []
  for (let i = reader.count("keys", 3); i > 0; i--) keys.push(readCursor(reader))
  return keys
}

const readOutcome = (reader: ByteReader): Fetched["outcome"] => {
  const at = reader.offset
  const outcome = outcomes[reader.byte("an outcome")]
  if (outcome === undefined) throw new Malformed("an outcome", at)
  return outcome
}

const unasked: ReadonlySet<WireTag | undefined> = new Set(["Gossip", "Ping", "PingFor"])

/** Whether a frame begins with what its sender says of itself, be it asked or not, or is empty. */
export const isUnasked = (messages: Uint8Array): boolean =>
  messages.length === 0 || unasked.has(tags[messages[0]!])

/** A message that was read, and the ring that it is for. */
export interface ReceivedMessage {
  readonly message: PeerMessage
  /** The digest of that ring; undefined where the message does not depend on the ring. */
  readonly ring: string | undefined
}

/** The next message of a frame; its byte fields are views of the frame. Throws `Malformed`. */
export const readMessage = (reader: ByteReader): ReceivedMessage => {
  const at = reader.offset
  const tag = tags[reader.byte("a message tag")]
  if (tag === undefined) throw new Malformed("a message tag", at)
  const request = reader.varint("a request number")
  const ring = ringDependent.has(tag) ? reader.hex(ringDigestBytes, "a ring's digest") : undefined
  return { message: readFields(reader, { _tag: tag, request }), ring }
}

const readStore = (reader: ByteReader, request: number, isNamed: boolean): Store => {
  const { bucket, fingerprint, key } = readName(reader)
  const sync = readFlag(reader)
  const document = reader.bytes("a document")
  const operation = isNamed ? readOperation(reader) : undefined
  return { _tag: "Store", request, bucket, fingerprint, key, sync, document, operation }
}

const readHinted = (reader: ByteReader, request: number): Store | StoreDelta => {
  const hintFor = readNode(reader)
  const at = reader.offset
  const tag = tags[reader.byte("a message tag")]
  switch (tag) {
    case "Store":
    case "NamedStore":
      return { ...readStore(reader, request, tag === "NamedStore"), hintFor }
    case "StoreDelta":
      return { _tag: tag, request, ...readName(reader), ...readStoreDelta(reader), hintFor }
    default:
      throw new Malformed("the tag of a store", at)
  }
}

const readFetch = (reader: ByteReader) => {
  const { bucket, fingerprint, key } = readName(reader)
  return { bucket, fingerprint, key, digest: readMatching(reader, digestPattern, "a digest") }
}

const readListed = (reader: ByteReader) => ({
  through: readCursor(reader),
  keys: readCursors(reader),
  completeness: readCompleteness(reader)
})

const readFields = (
  reader: ByteReader,
  { _tag, request }: { readonly _tag: WireTag; readonly request: number }
): PeerMessage => {
  if (isMemberTag(_tag)) return readMembership(reader, _tag, request)
  switch (_tag) {
    case "Store":
      return readStore(reader, request, false)
    case "NamedStore":
      return readStore(reader, request, true)
    case "Stored":
      return { _tag, request, durable: readFlag(reader), completeness: readCompleteness(reader) }
    case "Fetch":
      return { _tag, request, ...readFetch(reader) }
    case "FetchAfter":
      return { _tag, request, ...readFetch(reader), after: VersionVector.read(reader) }
    case "FetchSince": {
      const fetch = { request, ...readFetch(reader), after: VersionVector.read(reader) }
      return { _tag, ...fetch, since: VersionVector.read(reader) }
    }
    case "FetchedSince":
      return { _tag, request, ...readFetchedSince(reader) }
    case "Fetched":
      return {
        _tag,
        request,
        outcome: readOutcome(reader),
        document: reader.bytes("a document"),
        completeness: readCompleteness(reader)
      }
    case "Refused":
      return { _tag, request, reason: reader.text("a reason") }
    case "Forward":
    case "Forwarded":
    case "Question":
    case "Told":
      return { _tag, request, body: reader.bytes("a body") }
    case "List": {
      const name = readName(reader)
      const partition = reader.varint("a partition")
      return { _tag, request, ...name, partition, limit: reader.varint("a limit") }
    }
    case "Listed":
      return { _tag, request, ...readListed(reader) }
    case "OtherRing":
      return { _tag, request, digest: reader.hex(ringDigestBytes, "a ring's digest") }
    case "Fence":
      return { _tag, request, ...readName(reader), ...readFence(reader) }
    case "FenceSince":
      return { _tag: "Fence", request, ...readName(reader), ...readFenceSince(reader) }
    case "Fenced":
      return { _tag, request, ...readFenced(reader) }
    case "StoreDelta":
      return { _tag, request, ...readName(reader), ...readStoreDelta(reader) }
    case "NeedsBase":
      return { _tag, request, context: VersionVector.read(reader) }
    case "AntiEntropy":
      return { _tag, request, body: readAntiEntropy(reader) }
    case "Hinted":
      return readHinted(reader, request)
    case "Handoff":
      return { _tag, request, ...readName(reader), document: reader.bytes("a document") }
    case "HandedOff":
      return { _tag, request, refusal: reader.text("a reason") }
  }
}
