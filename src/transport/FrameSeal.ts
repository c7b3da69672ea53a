/**
 * Proves that a frame was made by a node that has the cluster's key, for the subject on which it
 * came, and that no bit of it has changed since.
 *
 * The MAC is HMAC-SHA-256 (RFC 2104), cut to 16 bytes, of all that is in the frame but the MAC:
 *
 * ```
 * MAC = the beginning of HMAC-SHA-256(frame key, version, length of the subject (2 bytes),
 *       subject, the frame from the key's id on)
 * frame key = HMAC-SHA-256(cluster's key, "everwrite frame key")
 * ```
 *
 * For small frames both of its hashes are taken in one call each, which costs a third of an object
 * that hashes step by step.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto"
import { invariant } from "../core/Invariant.ts"
import { frameVersion, isLongEnough, layout } from "./Frame.ts"

/** A key of the cluster, and how frames name it. */
export interface FrameKey {
  readonly key: KeyObject
  /** Sixteen hexadecimal digits. */
  readonly id: string
}

/** `forged` frames are damaged, or made without the key that they name. */
export type Proof = "proved" | "forged" | "otherKey"

const blockBytes = 64
const hashBytes = 32
const macLength = layout.keyId - layout.mac
/** Frames up to here are copied behind their key: hashing itself costs more for longer ones. */
const gatheredBytesMax = 16 * 1024
const subjectBytesMax = 512

/** A key prepared as RFC 2104 has it. */
class PreparedKey {
  readonly id: Uint8Array
  readonly #frameKey: KeyObject
  /** The key's inner block, and room for what is sealed. */
  readonly #inner = Buffer.alloc(blockBytes + 3 + subjectBytesMax + gatheredBytesMax)
  /** The key's outer block, and room for the inner hash. */
  readonly #outer = Buffer.alloc(blockBytes + hashBytes)

  constructor({ id, key }: FrameKey) {
    this.id = Buffer.from(id, "hex")
    const frameKey = createHmac("sha256", key).update("everwrite frame key").digest()
    this.#frameKey = createSecretKey(frameKey)
    for (let i = 0; i < blockBytes; i++) {
      const byte = frameKey[i] ?? 0
      this.#inner[i] = byte ^ 0x36
      this.#outer[i] = byte ^ 0x5c
    }
  }

  /** One character for each byte. */
  mac(subject: string, frame: Uint8Array): string {
    const sealed = frame.subarray(layout.keyId)
    const inner = this.#inner
    inner[blockBytes] = frameVersion
    inner.writeUInt16BE(subject.length, blockBytes + 1)
    const start = blockBytes + 3
    const end = start + inner.write(subject, start, subjectBytesMax, "latin1")
    invariant(end === start + subject.length, "a subject of frames is short and ASCII")
    if (sealed.length > gatheredBytesMax) {
      return createHmac("sha256", this.#frameKey).update(inner.subarray(blockBytes, end))
        .update(sealed).digest("binary")
    }
    inner.set(sealed, end)
    const hashed = hash("sha256", inner.subarray(0, end + sealed.length), "binary")
    this.#outer.write(hashed, blockBytes, hashBytes, "latin1")
    return hash("sha256", this.#outer, "binary")
  }
}

export class FrameSeal {
  readonly #keys: readonly [PreparedKey, ...ReadonlyArray<PreparedKey>]

  /** The first key seals, each proves. */
  constructor([first, ...others]: readonly [FrameKey, ...ReadonlyArray<FrameKey>]) {
    this.#keys = [new PreparedKey(first), ...others.map((key) => new PreparedKey(key))]
  }

  /** Writes key and MAC into a frame for this subject, which must not change any more. */
  seal(subject: string, frame: Uint8Array): void {
    const [key] = this.#keys
    frame.set(key.id, layout.keyId)
    const mac = key.mac(subject, frame)
    for (let i = 0; i < macLength; i++) frame[layout.mac + i] = mac.charCodeAt(i)
  }

  /**
   * Says whether bytes that came on this subject are a frame of this version under a key of this
   * node.
   */
  prove(subject: string, bytes: Uint8Array): Proof {
    if (!isLongEnough(bytes) || bytes[0] !== frameVersion) return "forged"
    const key = this.#keys.find(({ id }) => isAt(bytes, layout.keyId, id))
    if (key === undefined) return "otherKey"
    const mac = key.mac(subject, bytes)
    // All bytes are compared, so that the time it takes tells nobody how many were right.
    let difference = 0
    for (let i = 0; i < macLength; i++) difference |= mac.charCodeAt(i) ^ bytes[layout.mac + i]!
    return difference === 0 ? "proved" : "forged"
  }
}

const isAt = (bytes: Uint8Array, offset: number, expected: Uint8Array): boolean => {
  for (let i = 0; i < expected.length; i++) if (bytes[offset + i] !== expected[i]) return false
  return true
}
