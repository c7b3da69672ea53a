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
 */
import type { KeyObject } from "node:crypto"
import { isSealedBy, Mac } from "../core/Mac.ts"
import { frameVersion, isLongEnough, layout } from "./Frame.ts"

/** A key of the cluster, and how frames name it. */
export interface FrameKey {
  readonly key: KeyObject
  /** Sixteen hexadecimal digits. */
  readonly id: string
}

/** `forged` frames are damaged, or made without the key that they name. */
export type Proof = "proved" | "forged" | "otherKey"

const macPlace = { start: layout.mac, count: layout.keyId - layout.mac }

class PreparedKey {
  readonly id: Uint8Array
  readonly #mac: Mac

  constructor({ id, key }: FrameKey) {
    this.id = Buffer.from(id, "hex")
    this.#mac = Mac.derived(key, "everwrite frame key")
  }

  /** One character for each byte. */
  mac(subject: string, frame: Uint8Array): string {
    const { length } = subject
    const head = String.fromCharCode(frameVersion, length >> 8, length & 0xff) + subject
    return this.#mac.of(head, frame.subarray(layout.keyId))
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
    for (let i = 0; i < macPlace.count; i++) frame[macPlace.start + i] = mac.charCodeAt(i)
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
    return isSealedBy(mac, bytes, macPlace) ? "proved" : "forged"
  }
}

const isAt = (bytes: Uint8Array, offset: number, expected: Uint8Array): boolean => {
  for (let i = 0; i < expected.length; i++) if (bytes[offset + i] !== expected[i]) return false
  return true
}
