// Checks that a frame is proved by its key, for its subject, down to its last bit, and by nothing
// else.
import * as fc from "fast-check"
import { createHmac, createSecretKey } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { layout } from "../../src/transport/Frame.ts"
import { FrameSeal } from "../../src/transport/FrameSeal.ts"
import { sealOf } from "./testSeals.ts"

const subject = "everwrite.test.v1.peer.n1.from.n2"
const folder = new URL("../golden/frame-4/", import.meta.url)
/** A frame of every kind, and of every message. */
const frames = readdirSync(folder).map((name) =>
  [
    name,
    Uint8Array.from(Buffer.from(readFileSync(new URL(name, folder), "utf8").trim(), "hex"))
  ] as const
)

const seal = sealOf("the present key")

const sealed = (frame: Uint8Array, by = seal, on = subject): Uint8Array => {
  const bytes = frame.slice()
  by.seal(on, bytes)
  return bytes
}

/** A frame of this length, of which all is noise but the version. */
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i === 0 ? 4 : (i * 37) % 256))

describe("a MAC", () => {
  const secret = Buffer.from("a secret of some cluster")
  const own = new FrameSeal([{ key: createSecretKey(secret), id: "00112233aabbccdd" }])

  it.each([47, 100, 4096, 16_384 + 17, 16_384 + 18, 16_384 + 19, 70_000])(
    "is the beginning of HMAC-SHA-256 for a frame of %i bytes",
    (length) => {
      const frame = sealed(noise(length), own)
      const key = createHmac("sha256", secret).update("everwrite frame key").digest()
      const expected = createHmac("sha256", key)
        .update(Uint8Array.of(4, 0, subject.length)).update(subject)
        .update(frame.subarray(layout.keyId)).digest("hex").slice(0, 32)
      expect(Buffer.from(frame.subarray(layout.mac, layout.keyId)).toString("hex")).toBe(expected)
      expect(Buffer.from(frame.subarray(layout.keyId, layout.incarnation)).toString("hex"))
        .toBe("00112233aabbccdd")
    }
  )
})

describe("a frame", () => {
  it("is proved as it was sealed, of any length", () => {
    fc.assert(fc.property(fc.integer({ min: 47, max: 20_000 }), (length) => {
      expect(seal.prove(subject, sealed(noise(length)))).toBe("proved")
    }))
  })

  it.each(frames)("is not proved whichever of its bits is turned: %s", (_, frame) => {
    const bytes = sealed(frame)
    expect(seal.prove(subject, bytes)).toBe("proved")
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(seal.prove(subject, bytes)).not.toBe("proved")
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
  })

  it.each(frames)("is not proved where it is cut off, or longer: %s", (_, frame) => {
    const bytes = sealed(frame)
    for (let length = 0; length < bytes.length; length++) {
      expect(seal.prove(subject, bytes.subarray(0, length))).not.toBe("proved")
    }
    expect(seal.prove(subject, Uint8Array.of(...bytes, 0))).toBe("forged")
  })

  it.each([
    ["another receiver", "everwrite.test.v1.peer.n3.from.n2"],
    ["another sender", "everwrite.test.v1.peer.n1.from.n3"],
    ["another cluster", "everwrite.tests.v1.peer.n1.from.n2"],
    ["a longer name", `${subject}2`]
  ])("is not proved on the subject of %s", (_, other) => {
    expect(seal.prove(other, sealed(frames[0]![1]))).toBe("forged")
  })

  it("of another key is told by the key's name, and is forged where it bears this one's", () => {
    const bytes = sealed(frames[0]![1], sealOf("another key"))
    expect(seal.prove(subject, bytes)).toBe("otherKey")
    bytes.set(sealed(frames[0]![1]).subarray(layout.keyId, layout.incarnation), layout.keyId)
    expect(seal.prove(subject, bytes)).toBe("forged")
  })

  it("of the previous key is proved, and none is sealed under it", () => {
    const rotated = sealOf("the next key", "the present key")
    expect(rotated.prove(subject, sealed(frames[0]![1]))).toBe("proved")
    expect(seal.prove(subject, sealed(frames[0]![1], rotated))).toBe("otherKey")
  })
})
