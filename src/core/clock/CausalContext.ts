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
}

export const nothing: CausalContext = { vector: VersionVector.empty, stamp: 0 }

/** Everything that either context has seen. */
export const join = (left: CausalContext, right: CausalContext): CausalContext => ({
  vector: VersionVector.join(left.vector, right.vector),
  stamp: Math.max(left.stamp, right.stamp)
})

/** Where a token is valid, and the key that seals it. */
export interface TokenPlace {
  readonly bucket: string
  readonly key: DocumentKey
  readonly secret: KeyObject
}

const formatVersion = 1
const macBytes = 12

const mac = (place: TokenPlace, history: Uint8Array): Uint8Array =>
  createHmac("sha256", place.secret)
    .update(`${place.bucket}\u0000${place.key.partition}\u0000${place.key.sort}\u0000`)
    .update(history)
    .digest()
    .subarray(0, macBytes)

/** The token for `context`, as base64url text. */
export const encode = (context: CausalContext, place: TokenPlace): string => {
  const writer = new ByteWriter(64).byte(formatVersion).varint(context.stamp)
  writer.varint(context.vector.size)
  for (const [actor, counter] of VersionVector.sorted(context.vector)) {
    writer.text(actor).varint(counter)
  }
  const history = writer.finish()
  return Buffer.concat([mac(place, history), history]).toString("base64url")
}

/** Why a token was refused. */
export type TokenRefusal = "malformed" | "foreign"

const decodeHistory = (history: Uint8Array): CausalContext => {
  const reader = new ByteReader(history)
  if (reader.byte() !== formatVersion) throw new Malformed("token format 1", 0)
  const stamp = reader.varint("a stamp")
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
  reader.end()
  return { vector, stamp }
}

/**
 * The context of a token, or why it is refused: `malformed` text, or `foreign`, that is, made for
 * another bucket, key or cluster, or changed on the way.
 */
export const decode = (token: string, place: TokenPlace): CausalContext | TokenRefusal => {
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
