/**
 * Makes the opaque token that a read returns and the next write brings back.
 *
 * A client must be able to say which history it has seen, and must not be able to claim another: a
 * forged dot at 2^53 would erase every later write. So a token carries a MAC under the cluster's
 * key over the cluster's name, the bucket, the document's key and the history, and is worth nothing
 * anywhere else. The MAC alone says only that a token is not good here. Checks of two bytes beside
 * it tell the caller why: they are no proof, and nothing is believed for their sake.
 *
 * ```
 * token   = 3, checks, MAC (12 bytes), history: format 3, as base64url
 *         | 2, id of the key (2 bytes), MAC (12 bytes), history: format 2, read only
 *         | MAC (12 bytes), 1, history: format 1, read only
 * checks  = of the key and the cluster, of the bucket, of the document's key, of all other bytes of
 *           the token (2 bytes each)
 * history = stamp, vector, then, where the session had seen more, a vector of that
 * vector  = count, then each actor as text with its counter, sorted
 * MAC     = the beginning of HMAC-SHA-256 of: 3 or 2, cluster, bucket, both halves of the key,
 *           history
 *         | of: bucket, 0, both halves of the key with 0 after each, 1, history
 * ```
 *
 * The first byte of the sealed text keeps the formats apart: no bucket's name begins with it.
 */
import type { KeyObject } from "node:crypto"
import { ByteReader, ByteWriter, Malformed } from "../codec/Bytes.ts"
import { sortedKeys } from "../codec/SortedKeys.ts"
import { bytesBits16, textBits16 } from "../Hash.ts"
import { invariant } from "../Invariant.ts"
import { isSealedBy, Mac } from "../Mac.ts"
import type { DocumentKey } from "../model/DocumentKey.ts"
import type { TokenRefusal } from "../model/StoreError.ts"
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
  /** Makes the codes under this key. */
  readonly mac: Mac
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

const formatVersion = 3
const macBytes = 12
/** Where the parts of a token of format 3 begin. */
const layout = { key: 1, bucket: 3, document: 5, all: 7, mac: 9, history: 9 + macBytes }
/** Where those of format 2 do. */
const second = { version: 2, key: 1, mac: 3, history: 3 + macBytes }

/**
 * A key and its id, which follows from the key, so that nodes need not be told which key has which.
 * Two keys may have one id; then both are tried.
 */
export const tokenKey = (key: KeyObject): TokenKey => {
  const mac = new Mac(key)
  const code = mac.of("everwrite: id of a token key", noBytes)
  return { id: (code.charCodeAt(0) << 8) | code.charCodeAt(1), key, mac }
}

const noBytes = new Uint8Array(0)

const writeScope = (
  writer: ByteWriter,
  version: number,
  { bucket, cluster, key }: TokenScope
): ByteWriter => writer.byte(version).text(cluster).text(bucket).text(key.partition).text(key.sort)

/** The bytes that a token's MAC seals. */
const sealedBytes = (version: number, scope: TokenScope, history: Uint8Array): Uint8Array =>
  writeScope(ByteWriter.passing(256), version, scope).raw(history).view()

/** Two keys, or one key in two clusters, have the same check once in 65,536 pairs. */
const keyCheck = ({ id }: TokenKey, { cluster }: TokenSeal): number => id ^ textBits16(cluster)

const documentCheck = ({ key }: TokenScope): number =>
  textBits16(`${key.partition}\u0000${key.sort}`)

/** Of all bytes but the check itself. */
const damageCheck = (token: Uint8Array): number =>
  bytesBits16(token, 0, layout.all) ^ bytesBits16(token, layout.mac, token.length)

const writeVector = (writer: ByteWriter, vector: VersionVector.VersionVector): void => {
  writer.varint(vector.size)
  for (const actor of sortedKeys(vector)) writer.text(actor).varint(vector.get(actor)!)
}

/** The token for `context`, as base64url text. */
export const encode = (context: CausalContext, scope: TokenScope): string => {
  const [sealing] = scope.keys
  invariant(sealing !== undefined, "a token is sealed with a key")
  const writer = writeScope(ByteWriter.passing(256), formatVersion, scope)
  const scopeEnd = writer.length
  writer.varint(context.stamp)
  writeVector(writer, context.vector)
  if (context.unshown !== undefined) writeVector(writer, context.unshown)
  const sealed = writer.view()
  const token = Buffer.allocUnsafe(layout.history + sealed.length - scopeEnd)
  token.writeUInt8(formatVersion)
  token.writeUInt16BE(keyCheck(sealing, scope), layout.key)
  token.writeUInt16BE(textBits16(scope.bucket), layout.bucket)
  token.writeUInt16BE(documentCheck(scope), layout.document)
  token.write(sealing.mac.of("", sealed), layout.mac, macBytes, "latin1")
  token.set(sealed.subarray(scopeEnd), layout.history)
  token.writeUInt16BE(damageCheck(token), layout.all)
  return token.toString("base64url")
}

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

/** Whether the MAC at `start` in a token seals these bytes under one of `keys`. */
const isSealed = (
  keys: ReadonlyArray<TokenKey>,
  { start, token }: { readonly token: Buffer; readonly start: number },
  sealed: Uint8Array
): boolean =>
  keys.some(({ mac }) => isSealedBy(mac.of("", sealed), token, { start, count: macBytes }))

const open = (token: Buffer, scope: TokenScope): CausalContext | TokenRefusal => {
  if (token.length <= layout.history) return "malformed"
  if (token.readUInt16BE(layout.all) !== damageCheck(token)) return "damaged"
  const check = token.readUInt16BE(layout.key)
  const keys = scope.keys.filter((key) => keyCheck(key, scope) === check)
  if (keys.length === 0) return "unknown-key"
  if (token.readUInt16BE(layout.bucket) !== textBits16(scope.bucket)) return "other-bucket"
  if (token.readUInt16BE(layout.document) !== documentCheck(scope)) return "other-document"
  const history = token.subarray(layout.history)
  const sealed = sealedBytes(formatVersion, scope, history)
  return isSealed(keys, { token, start: layout.mac }, sealed) ? decodeHistory(history) : "damaged"
}

/** Opens a token of format 2, which has no checks but the key's id. */
const openSecond = (token: Buffer, scope: TokenScope): CausalContext | TokenRefusal => {
  if (token.length <= second.history) return "malformed"
  const id = token.readUInt16BE(second.key)
  const keys = scope.keys.filter((key) => key.id === id)
  if (keys.length === 0) return "unknown-key"
  const history = token.subarray(second.history)
  const sealed = sealedBytes(second.version, scope, history)
  return isSealed(keys, { token, start: second.mac }, sealed) ? decodeHistory(history) : "foreign"
}

/** Opens a token of format 1, which names neither the cluster nor the key. */
const openFirst = (token: Buffer, scope: TokenScope): CausalContext | TokenRefusal => {
  const { bucket, key: { partition, sort } } = scope
  const sealed = Buffer.concat([
    Buffer.from(`${bucket}\u0000${partition}\u0000${sort}\u0000`),
    token.subarray(macBytes)
  ])
  return isSealed(scope.keys, { token, start: 0 }, sealed)
    ? decodeHistory(token.subarray(macBytes + 1))
    : "foreign"
}

const openAny = (token: Buffer, scope: TokenScope): CausalContext | TokenRefusal => {
  if (token[0] === formatVersion) return open(token, scope)
  return token[0] === second.version ? openSecond(token, scope) : "malformed"
}

/** The context of a token, or why it is refused. */
export const decode = (text: string, scope: TokenScope): CausalContext | TokenRefusal => {
  if (!/^[A-Za-z0-9_-]+$/u.test(text)) return "malformed"
  const token = Buffer.from(text, "base64url")
  const context = openAny(token, scope)
  // A token of format 1 begins with any byte, those of later formats among them.
  if (typeof context !== "string" || token[macBytes] !== 1) return context
  const first = openFirst(token, scope)
  return typeof first === "string" && context !== "malformed" ? context : first
}
