/**
 * Makes message authentication codes under one key: HMAC-SHA-256 (RFC 2104).
 *
 * The key's two blocks are prepared once, and both hashes of short data are taken in one call each:
 * the object that Node has for an HMAC takes longer to make than the hashes of 300 bytes.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto"
import { invariant } from "./Invariant.ts"

const blockBytes = 64
const hashBytes = 32
/** Data up to here is copied behind the key: hashing itself costs more for longer data. */
const gatheredBytesMax = 16 * 1024
const headLengthMax = 1024

export class Mac {
  readonly #key: KeyObject
  /** The key's inner block, and room for what follows it. */
  readonly #inner = Buffer.alloc(blockBytes + headLengthMax + gatheredBytesMax)
  /** The key's outer block, and room for the inner hash. */
  readonly #outer = Buffer.alloc(blockBytes + hashBytes)

  constructor(key: KeyObject) {
    this.#key = key
    const bytes = key.export()
    const short = bytes.length > blockBytes ? hash("sha256", bytes, "buffer") : bytes
    for (let i = 0; i < blockBytes; i++) {
      const byte = short[i] ?? 0
      this.#inner[i] = byte ^ 0x36
      this.#outer[i] = byte ^ 0x5c
    }
  }

  /** A key that is good for this purpose alone. */
  static derived(key: KeyObject, purpose: string): Mac {
    return new Mac(createSecretKey(createHmac("sha256", key).update(purpose).digest()))
  }

  /** The 32 bytes of the code of `head` and `data`, one character for each byte, as in `head`. */
  of(head: string, data: Uint8Array): string {
    invariant(head.length <= headLengthMax, "the head of data that is sealed is short")
    const inner = this.#inner
    const headEnd = blockBytes + head.length
    if (head !== "") inner.write(head, blockBytes, "latin1")
    if (data.length > gatheredBytesMax) {
      return createHmac("sha256", this.#key).update(inner.subarray(blockBytes, headEnd))
        .update(data).digest("binary")
    }
    inner.set(data, headEnd)
    const hashed = hash("sha256", inner.subarray(0, headEnd + data.length), "binary")
    this.#outer.write(hashed, blockBytes, hashBytes, "latin1")
    return hash("sha256", this.#outer, "binary")
  }
}

/**
 * Whether `count` bytes from `start` on are the beginning of a code. All are compared, so that the
 * time it takes tells nobody how many were right.
 */
export const isSealedBy = (
  code: string,
  bytes: Uint8Array,
  { count, start }: { readonly start: number; readonly count: number }
): boolean => {
  let difference = 0
  for (let i = 0; i < count; i++) difference |= code.charCodeAt(i) ^ bytes[start + i]!
  return difference === 0
}
