/**
 * Describes what nodes say to one another: protocol 1.
 *
 * ```
 * frame   = 1, cluster, Q, sender's incarnation, receiver's incarnation or "", ring digest,
 *           sender's clock (ms), then either 0 and messages
 *           or 1, transfer, index, count and a part of messages
 * message = tag, request, then the tag's own fields
 * ```
 *
 * Requests are answered by messages of their own; nothing waits for an answer below the
 * coordinator, so that everything may be lost, repeated and reordered.
 */
import { type ByteReader, type ByteWriter, Malformed } from "../src/core/codec/Bytes.ts"
import { type DocumentKey, isEncoded } from "../src/core/model/DocumentKey.ts"

export const protocolVersion = 1

/** A document, named across buckets. */
export interface DocumentName {
  readonly bucket: string
  /** The bucket's fingerprint where the sender knows the bucket, else empty. */
  readonly fingerprint: string
  readonly key: DocumentKey
}

/** Join this document into yours, and say so; with `sync`, once it is on disk. */
export interface Store extends DocumentName {
  readonly _tag: "Store"
  readonly request: number
  readonly sync: boolean
  readonly document: Uint8Array
}

export interface Stored {
  readonly _tag: "Stored"
  readonly request: number
  readonly durable: boolean
}

/** What do you hold? If it has this digest, say only that. */
export interface Fetch extends DocumentName {
  readonly _tag: "Fetch"
  readonly request: number
  /** Empty where the sender holds nothing. */
  readonly digest: string
}

export interface Fetched {
  readonly _tag: "Fetched"
  readonly request: number
  readonly outcome: "same" | "found" | "absent" | "damaged"
  /** Empty unless found. */
  readonly document: Uint8Array
}

/** A request that this node will not carry out, and why, in words. */
export interface Refused {
  readonly _tag: "Refused"
  readonly request: number
  readonly reason: string
}

/** A client's request, handed to a node that holds the document. */
export interface Forward {
  readonly _tag: "Forward"
  readonly request: number
  readonly body: Uint8Array
}

export interface Forwarded {
  readonly _tag: "Forwarded"
  readonly request: number
  readonly body: Uint8Array
}

/** A place in the order of partition, then key; empty halves stand before all keys. */
export interface KeyCursor {
  readonly partition: number
  readonly key: DocumentKey
}

/** Which documents of a bucket do you hold after this place? Look at no more than `limit`. */
export interface List extends DocumentName, KeyCursor {
  readonly _tag: "List"
  readonly request: number
  readonly limit: number
}

/** All that are held up to and with the place `through`, in order. */
export interface Listed {
  readonly _tag: "Listed"
  readonly request: number
  readonly through: KeyCursor
  readonly places: ReadonlyArray<KeyCursor>
}

export type PeerMessage =
  | Store
  | Stored
  | Fetch
  | Fetched
  | Refused
  | Forward
  | Forwarded
  | List
  | Listed

const tags = [
  "Store",
  "Stored",
  "Fetch",
  "Fetched",
  "Refused",
  "Forward",
  "Forwarded",
  "List",
  "Listed"
] as const
const outcomes = ["same", "found", "absent", "damaged"] as const
const reasonLengthMax = 500

const writeName = (writer: ByteWriter, name: DocumentName): ByteWriter =>
  writer.text(name.bucket).text(name.fingerprint).text(name.key.partition).text(name.key.sort)

const writePlace = (writer: ByteWriter, { key, partition }: KeyCursor): ByteWriter =>
  writer.varint(partition).text(key.partition).text(key.sort)

export const writeMessage = (writer: ByteWriter, message: PeerMessage): void => {
  writer.byte(tags.indexOf(message._tag)).varint(message.request)
  switch (message._tag) {
    case "Store":
      writeName(writer, message).byte(message.sync ? 1 : 0).bytes(message.document)
      return
    case "Stored":
      writer.byte(message.durable ? 1 : 0)
      return
    case "Fetch":
      writeName(writer, message).text(message.digest)
      return
    case "Fetched":
      writer.byte(outcomes.indexOf(message.outcome)).bytes(message.document)
      return
    case "Refused":
      writer.text(message.reason.slice(0, reasonLengthMax).toWellFormed())
      return
    case "Forward":
    case "Forwarded":
      writer.bytes(message.body)
      return
    case "List":
      writeName(writer, message).varint(message.partition).varint(message.limit)
      return
    case "Listed":
      writePlace(writer, message.through).varint(message.places.length)
      for (const place of message.places) writePlace(writer, place)
  }
}

const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u
const digestPattern = /^(?:[0-9a-f]{16})?$/u

const readMatching = (
  reader: ByteReader,
  options: { readonly pattern: RegExp; readonly expected: string }
): string => {
  const at = reader.offset
  const text = reader.text(options.expected)
  if (!options.pattern.test(text)) throw new Malformed(options.expected, at)
  return text
}

const readKeyHalf = (reader: ByteReader): string => {
  const at = reader.offset
  const text = reader.text("half a key")
  if (!isEncoded(text)) throw new Malformed("half a key", at)
  return text
}

const readName = (reader: ByteReader): DocumentName => {
  const bucket = readMatching(reader, { pattern: namePattern, expected: "a bucket's name" })
  const fingerprint = readMatching(reader, { pattern: digestPattern, expected: "a fingerprint" })
  const key = { partition: readKeyHalf(reader), sort: readKeyHalf(reader) }
  return { bucket, fingerprint, key }
}

const readPlace = (reader: ByteReader): KeyCursor => {
  const partition = reader.varint("a partition")
  return { partition, key: { partition: readKeyHalf(reader), sort: readKeyHalf(reader) } }
}

const readPlaces = (reader: ByteReader): ReadonlyArray<KeyCursor> => {
  const places: Array<KeyCursor> = []
  for (let i = reader.count("places", 3); i > 0; i--) places.push(readPlace(reader))
  return places
}

const readFlag = (reader: ByteReader): boolean => {
  const at = reader.offset
  const flag = reader.byte("a flag")
  if (flag > 1) throw new Malformed("a flag", at)
  return flag === 1
}

const readOutcome = (reader: ByteReader): Fetched["outcome"] => {
  const at = reader.offset
  const outcome = outcomes[reader.byte("an outcome")]
  if (outcome === undefined) throw new Malformed("an outcome", at)
  return outcome
}

/** The next message of a frame; its byte fields are views of the frame. Throws `Malformed`. */
export const readMessage = (reader: ByteReader): PeerMessage => {
  const at = reader.offset
  const _tag = tags[reader.byte("a message tag")]
  if (_tag === undefined) throw new Malformed("a message tag", at)
  const request = reader.varint("a request number")
  switch (_tag) {
    case "Store":
      return {
        _tag,
        request,
        ...readName(reader),
        sync: readFlag(reader),
        document: reader.bytes("a document")
      }
    case "Stored":
      return { _tag, request, durable: readFlag(reader) }
    case "Fetch": {
      const name = readName(reader)
      const digest = readMatching(reader, { pattern: digestPattern, expected: "a digest" })
      return { _tag, request, ...name, digest }
    }
    case "Fetched":
      return { _tag, request, outcome: readOutcome(reader), document: reader.bytes("a document") }
    case "Refused":
      return { _tag, request, reason: reader.text("a reason") }
    case "Forward":
    case "Forwarded":
      return { _tag, request, body: reader.bytes("a body") }
    case "List": {
      const name = readName(reader)
      const partition = reader.varint("a partition")
      return { _tag, request, ...name, partition, limit: reader.varint("a limit") }
    }
    case "Listed":
      return { _tag, request, through: readPlace(reader), places: readPlaces(reader) }
  }
}
