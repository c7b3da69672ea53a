// Checks that a MAC is HMAC-SHA-256, whatever the lengths of key and data, and is compared whole.
import * as fc from "fast-check"
import { createHmac, createSecretKey } from "node:crypto"
import { describe, expect, it } from "vitest"
import { isSealedBy, Mac } from "../../src/core/Mac.ts"

const expected = (key: Uint8Array, ...parts: ReadonlyArray<Uint8Array | string>): string =>
  parts.reduce<ReturnType<typeof createHmac>>(
    (hmac, part) => typeof part === "string" ? hmac.update(part, "latin1") : hmac.update(part),
    createHmac("sha256", key)
  ).digest("binary")

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })

const latin1 = bytes(0, 1024).map((codes) => Buffer.from(codes).toString("latin1"))

describe("a MAC", () => {
  it("is HMAC-SHA-256 of its head and its data, for keys shorter and longer than a block", () => {
    fc.assert(
      fc.property(bytes(1, 200), latin1, bytes(0, 300), (key, head, data) => {
        const mac = new Mac(createSecretKey(key))
        expect(mac.of(head, data)).toBe(expected(key, head, data))
        // What was sealed before leaves nothing behind.
        expect(mac.of("", data)).toBe(expected(key, data))
      })
    )
  })

  it.each([16_383, 16_384, 16_385, 70_000])("is the same for %i bytes", (length) => {
    const key = Buffer.from("a secret of some cluster")
    const data = Uint8Array.from({ length }, (_, i) => (i * 37) % 256)
    expect(new Mac(createSecretKey(key)).of("head", data)).toBe(expected(key, "head", data))
  })

  it("differs between keys that are derived for two purposes", () => {
    const key = createSecretKey(Buffer.from("a secret of some cluster"))
    const data = Buffer.from("data")
    expect(Mac.derived(key, "one").of("", data)).not.toBe(Mac.derived(key, "two").of("", data))
  })

  it("seals the bytes that are its beginning, and no others", () => {
    const code = new Mac(createSecretKey(Buffer.from("secret"))).of("", Buffer.from("data"))
    const sealed = Buffer.concat([Buffer.of(0, 0), Buffer.from(code.slice(0, 12), "latin1")])
    expect(isSealedBy(code, sealed, { start: 2, count: 12 })).toBe(true)
    for (let bit = 0; bit < 12 * 8; bit++) {
      const turned = Buffer.from(sealed)
      turned[2 + (bit >> 3)]! ^= 1 << (bit & 7)
      expect(isSealedBy(code, turned, { start: 2, count: 12 })).toBe(false)
    }
  })
})
