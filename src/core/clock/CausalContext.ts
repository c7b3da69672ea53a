/**
 * Makes the opaque token that a read returns and the next write brings back.
 *
 * A client must be able to say which history it has seen, and must not be able to claim another: a
 * forged dot at 2^53 would erase every later write. So a token carries a MAC under the cluster's
 * key over the cluster's name, the bucket, the document's key and the history, and is worth nothing
 * anywhere else.
 *
 * ```
 * token   = 2, id of the key (2 bytes), MAC (12 bytes), history: format 2, as base64url
 *         | MAC (12 bytes), 1, history: format 1, read only
 * history = stamp, vector, then, where the session had seen more, a vector of that
 * vector  = count, then each actor as text with its counter, sorted
 * MAC     = the beginning of HMAC-SHA-256 of: 2, cluster, bucket, both halves of the key, history
 *         | of: bucket, 0, both halves of the key with 0 after each, 1, history
 * ```
 *
 * The first byte of the sealed text keeps the formats apart: no bucket's name begins with it.
 */
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto"
import { ByteReader, ByteWriter, Malformed } from "../codec/Bytes.ts"
import { sortedKeys } from "../codec/SortedKeys.ts"
import { invariant } from "../Invariant.ts"
import type { DocumentKey } from "../model/DocumentKey.ts"
import { actorPattern } from "./Dot.ts"
import * as VersionVector from "./VersionVector.ts"

/** The history of one document that a client has seen. */
export interface CausalContext {
  readonly vector: VersionVector.VersionVector
  /** Greatest hybrid stamp that was seen; 0 where the bucket has none. */
  readonly stamp: number
  /**
   * The history that the client's session had seen before, where this answer does not show it: the
   * session's next read must cover it, but a write that follows this answer must not replace it.
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

/** A key of the cluster, with the id by which tokens name it. */
export interface TokenKey {
  readonly id: number
  readonly key: KeyObject
}

/** The keys that seal tokens and open them. */
export interface TokenSeal {
  readonly cluster: string
  /** Not empty: the first seals, each opens, so that a key can be replaced while tokens are out. */
  readonly keys: ReadonlyArray<TokenKey>
}

/** The scope in which a token is valid, and the keys that seal it. */
export interface TokenScope extends TokenSeal {
  readonly bucket: string
  readonly key: DocumentKey
}

const formatVersion = 2
const macBytes = 12
const macStart = 3
const historyStart = macStart + macBytes

const hmac = (key: KeyObject, data: string | Uint8Array): Buffer =>
  createHmac("sha256", key).update(data).digest()

/**
 * A key and its id, which follows from the key, so that nodes need not be told which key has which.
 * Two keys may have one id; then both are tried.
 */
export const tokenKey = (key: KeyObject): TokenKey => ({
  id: hmac(key, "everwrite: id of a token key").readUInt16BE(),
  key
})

const writeScope = (writer: ByteWriter, { bucket, cluster, key }: TokenScope): ByteWriter =>
  writer.byte(formatVersion).text(cluster).text(bucket).text(key.partition).text(key.sort)

const writeVector = (writer: ByteWriter, vector: VersionVector.VersionVector): void => {
  writer.varint(vector.size)
  for (const actor of sortedKeys(vector)) writer.text(actor).varint(vector.get(actor)!)
}

/** The token for `context`, as base64url text. */
export const encode = (context: CausalContext, scope: TokenScope): string => {
  const [sealing] = scope.keys
  invariant(sealing !== undefined, "a token is sealed with a key")
  const writer = writeScope(new ByteWriter(256), scope)
  const scopeEnd = writer.length
  writer.varint(context.stamp)
  writeVector(writer, context.vector)
  if (context.unshown !== undefined) writeVector(writer, context.unshown)
  const sealed = writer.view()
  const token = Buffer.allocUnsafe(historyStart + sealed.length - scopeEnd)
  token.writeUInt8(formatVersion)
  token.writeUInt16BE(sealing.id, 1)
  hmac(sealing.key, sealed).copy(token, macStart, 0, macBytes)
  token.set(sealed.subarray(scopeEnd), historyStart)
  return token.toString("base64url")
}

/**
 * Why a token was refused: it is none (`malformed`); it was made for another bucket, key or
 * cluster, or changed on the way (`foreign`); or no key here has the id of the one that sealed it
 * (`unknown-key`), as when that was retired since.
 */
export type TokenRefusal = "malformed" | "foreign" | "unknown-key"

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

const readHistory = (history: Uint8Array): CausalContext => {
  const reader = new ByteReader(history)
  const stamp = reader.varint("a stamp")
  const vector = readVector(reader)
  if (reader.remaining === 0) return { vector, stamp }
  const unshown = readVector(reader)
  reader.end()
  return { vector, stamp, unshown }
}

const decodeHistory = (history: Uint8Array): CausalContext | "malformed" => {
  try {
    return readHistory(history)
  } catch (error) {
    if (error instanceof Malformed) return "malformed"
    throw error
  }
}

/** Whether `mac` seals these bytes under one of `keys`. */
const isSealed = (keys: ReadonlyArray<TokenKey>, mac: Uint8Array, sealed: Uint8Array): boolean =>
  keys.some(({ key }) => timingSafeEqual(mac, hmac(key, sealed).subarray(0, macBytes)))

const open = (token: Buffer, scope: TokenScope): CausalContext | TokenRefusal => {
  if (token.length <= historyStart) return "malformed"
  const id = token.readUInt16BE(1)
  const keys = scope.keys.filter((key) => key.id === id)
  if (keys.length === 0) return "unknown-key"
  const history = token.subarray(historyStart)
  const sealed = writeScope(new ByteWriter(256), scope).raw(history).view()
  const mac = token.subarray(macStart, historyStart)
  return isSealed(keys, mac, sealed) ? decodeHistory(history) : "foreign"
}

/** Opens a token of format 1, which names neither the cluster nor the key. */
const openFirst = (token: Buffer, scope: TokenScope): CausalContext | TokenRefusal => {
  const { bucket, key: { partition, sort } } = scope
  const sealed = Buffer.concat([
    Buffer.from(`${bucket}\u0000${partition}\u0000${sort}\u0000`),
    token.subarray(macBytes)
  ])
  const mac = token.subarray(0, macBytes)
  return isSealed(scope.keys, mac, sealed) ? decodeHistory(token.subarray(macBytes + 1)) : "foreign"
}

/** The context of a token, or why it is refused. */
export const decode = (text: string, scope: TokenScope): CausalContext | TokenRefusal => {
  if (!/^[A-Za-z0-9_-]+$/u.test(text)) return "malformed"
  const token = Buffer.from(text, "base64url")
  const context = token[0] === formatVersion ? open(token, scope) : "malformed"
  // A token of format 1 begins with any byte, that of format 2 among them.
  if (typeof context !== "string" || token[macBytes] !== 1) return context
  const first = openFirst(token, scope)
  return typeof first === "string" && token[0] === formatVersion ? context : first
}
