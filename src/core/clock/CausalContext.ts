/**
 * Makes the opaque token that a read returns and the next write brings back.
 *
 * A client must be able to say what it has seen, and must not be able to say anything else: a
 * forged dot at 2^53 would erase every later write. So a token carries a MAC under the cluster's
 * key over the bucket, the document's key and the history, and is worth nothing anywhere else.
 */
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto"
import { ByteReader, ByteWriter, Malformed } from "../codec/Bytes.ts"
import type { DocumentKey } from "../model/DocumentKey.ts"
import { actorPattern } from "./Dot.ts"
import * as VersionVector from "./VersionVector.ts"

/** What a client has seen of one document. */
export interface CausalContext {
  readonly vector: VersionVector.VersionVector
  /** Greatest hybrid stamp that was seen; 0 where the bucket has none. */
  readonly stamp: number
  /**
   * What the client's session had seen before, where this answer does not show it: the session's
   * next read must cover it, but a write that follows this answer must not replace it.
   */
  readonly unshown?: VersionVector.VersionVector
}

export const nothing: CausalContext = { vector: VersionVector.empty, stamp: 0 }

/** Everything that either context has seen, shown or not. */
export const join = (left: CausalContext, right: CausalContext): CausalContext => ({
  vector: [left, right].reduce(
    (joined, { unshown = VersionVector.empty }) => VersionVector.join(joined, unshown),
    VersionVector.join(left.vector, right.vector)
  ),
  stamp: Math.max(left.stamp, right.stamp)
})

/** The context of an answer that shows `shown` to a session that has seen `session`. */
export const answered = (shown: CausalContext, session: CausalContext): CausalContext => {
  const context = { vector: shown.vector, stamp: Math.max(shown.stamp, session.stamp) }
  return VersionVector.covers(shown.vector, session.vector)
    ? context
    : { ...context, unshown: session.vector }
}

/** The cluster's key. */
export type Secret = KeyObject

/** Where a token is valid, and the key that seals it. */
export interface TokenScope {
  readonly bucket: string
  readonly key: DocumentKey
  readonly secret: Secret
}

const formatVersion = 1
const macBytes = 12

const mac = (place: TokenScope, history: Uint8Array): Uint8Array =>
  createHmac("sha256", place.secret)
    .update(`${place.bucket}\u0000${place.key.partition}\u0000${place.key.sort}\u0000`)
    .update(history)
    .digest()
    .subarray(0, macBytes)

const writeVector = (writer: ByteWriter, vector: VersionVector.VersionVector): void => {
  writer.varint(vector.size)
  for (const [actor, counter] of VersionVector.sorted(vector)) writer.text(actor).varint(counter)
}

/** The token for `context`, as base64url text. */
export const encode = (context: CausalContext, place: TokenScope): string => {
  const writer = new ByteWriter(64).byte(formatVersion).varint(context.stamp)
  writeVector(writer, context.vector)
  if (context.unshown !== undefined) writeVector(writer, context.unshown)
  const history = writer.finish()
  return Buffer.concat([mac(place, history), history]).toString("base64url")
}

/** Why a token was refused. */
export type TokenRefusal = "malformed" | "foreign"

const readVector = (reader: ByteReader): VersionVector.VersionVector => {
  const count = reader.count("actors", 2)
  const vector = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    const actor = reader.text("an actor")
    const counter = reader.varint("a counter")
    if (!actorPattern.test(actor) || counter === 0) {
      throw new Malformed("an actor with a counter", reader.offset)
    }
    vector.set(actor, counter)
  }
  return vector
}

const decodeHistory = (history: Uint8Array): CausalContext => {
  const reader = new ByteReader(history)
  if (reader.byte() !== formatVersion) throw new Malformed("token format 1", 0)
  const stamp = reader.varint("a stamp")
  const vector = readVector(reader)
  if (reader.remaining === 0) return { vector, stamp }
  const unshown = readVector(reader)
  reader.end()
  return { vector, stamp, unshown }
}

/**
 * The context of a token, or why it is refused: `malformed` text, or `foreign`, that is, made for
 * another bucket, key or cluster, or changed on the way.
 */
export const decode = (token: string, place: TokenScope): CausalContext | TokenRefusal => {
  if (!/^[A-Za-z0-9_-]+$/u.test(token)) return "malformed"
  const bytes = Buffer.from(token, "base64url")
  if (bytes.length <= macBytes) return "malformed"
  const history = bytes.subarray(macBytes)
  if (!timingSafeEqual(bytes.subarray(0, macBytes), mac(place, history))) return "foreign"
  try {
    return decodeHistory(history)
  } catch (error) {
    if (error instanceof Malformed) return "malformed"
    throw error
  }
}
