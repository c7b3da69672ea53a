// Checks that a context comes back as it went out, to the scope it belongs to, or not at all.
import { createHmac, createSecretKey } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteWriter } from "../../../src/core/codec/Bytes.ts"
import * as CausalContext from "../../../src/core/clock/CausalContext.ts"
import { actor } from "../../../src/core/clock/Dot.ts"
import type { TokenRefusal } from "../../../src/core/model/StoreError.ts"
import { Incarnation } from "../../../src/core/model/Incarnation.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { covers, sorted } from "../../../src/core/clock/VersionVector.ts"
import { goldenContexts, goldenScope } from "./goldenContexts.ts"

const { decode, encode } = CausalContext

const keyOf = (byte: number) => CausalContext.tokenKey(createSecretKey(Buffer.alloc(32, byte)))
const scope = goldenScope

const elsewhere = { key: { ...scope.key, partition: "sbob" } }

/** The token of `bytes` with one bit flipped. */
const flipped = (bytes: Uint8Array, bit: number): string => {
  const changed = Buffer.from(bytes)
  changed[bit >> 3]! ^= 1 << (bit & 7)
  return changed.toString("base64url")
}

const someActor = fc.record({
  node: fc.constantFrom("a", "node-2", "x".repeat(64)).map((name) => NodeId.make(name)),
  incarnation: fc.constantFrom("0mi8dfxmoabcdef", "z".repeat(15)).map((i) => Incarnation.make(i)),
  birth: fc.maxSafeNat()
}).map(actor)
const positive = fc.maxSafeNat().map((counter) => Math.max(counter, 1))
const vector = fc.array(fc.tuple(someActor, positive)).map((entries) => new Map(entries))
const context = fc.record({ vector, stamp: fc.maxSafeNat() })

describe("the token of a context", () => {
  it("is decoded to the context, and is the same for equal contexts", () => {
    fc.assert(fc.property(context, (context) => {
      const token = encode(context, scope)
      expect(decode(token, scope)).toEqual(context)
      const reversed = new Map([...context.vector].toReversed())
      expect(encode({ ...context, vector: reversed }, scope)).toBe(token)
    }))
  })

  it("keeps the history that a session had seen and its answer did not show", () => {
    fc.assert(fc.property(context, vector, (shown, unshown) => {
      const kept = { ...shown, unshown }
      expect(decode(encode(kept, scope), scope)).toEqual(kept)
    }))
  })

  it("is text for any header or URL", () => {
    fc.assert(fc.property(context, (context) => {
      expect(encode(context, scope)).toMatch(/^[A-Za-z0-9_-]+$/u)
    }))
  })

  it.each<[string, Partial<CausalContext.TokenScope>, TokenRefusal]>([
    ["another bucket", { bucket: "carts2" }, "other-bucket"],
    ["a document of another bucket", { ...elsewhere, bucket: "carts2" }, "other-bucket"],
    ["another partition key", elsewhere, "other-document"],
    ["another sort key", { key: { ...scope.key, sort: "s2" } }, "other-document"],
    [
      "another split of the same key",
      { key: { partition: "salice\u0001s1", sort: "" } },
      "other-document"
    ],
    ["another cluster with the same key", { cluster: "everwrite2" }, "unknown-key"],
    ["another cluster key", { keys: [keyOf(2)] }, "unknown-key"],
    [
      "another split of the same cluster and bucket",
      { cluster: "everwritec", bucket: "arts" },
      "unknown-key"
    ]
  ])("is refused in %s, and says so", (_, elsewhere, refusal) => {
    fc.assert(fc.property(context, (context) => {
      expect(decode(encode(context, scope), { ...scope, ...elsewhere })).toBe(refusal)
    }))
  })

  it("is damaged with any one bit flipped, and with its end cut off", () => {
    const token = encode({ vector: new Map([["a.0mi8dfxmoabcdef.1", 7]]), stamp: 3 }, scope)
    const bytes = Buffer.from(token, "base64url")
    for (let bit = 8; bit < bytes.length * 8; bit++) {
      expect(decode(flipped(bytes, bit), scope)).toBe("damaged")
    }
    for (let bit = 0; bit < 8; bit++) {
      // The first byte says the format: with its last bit flipped it is that of format 2.
      expect(decode(flipped(bytes, bit), scope)).toBe(bit === 0 ? "unknown-key" : "malformed")
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decode(bytes.subarray(0, length).toString("base64url"), scope))
        .toBe(length <= 21 ? "malformed" : "damaged")
    }
  })

  it("is refused where only its checks were made to fit another document", () => {
    const other = { ...scope, bucket: "carts2", key: { partition: "sbob", sort: "" } }
    fc.assert(
      fc.property(context, (context) => {
        const forged = Buffer.from(encode(context, scope), "base64url")
        const checks = Buffer.from(encode(context, other), "base64url").subarray(3, 7)
        checks.copy(forged, 3)
        // Bytes 7 and 8 check all others: that check is found by trying.
        const answers = new Set<unknown>()
        for (let check = 0; check < 65_536; check++) {
          forged.writeUInt16BE(check, 7)
          answers.add(decode(forged.toString("base64url"), other))
        }
        expect([...answers]).toEqual(["damaged"])
      }),
      { numRuns: 1 }
    )
  })

  it("that is garbage is refused without an error", () => {
    const garbage = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.base64String(),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("base64url"))
    )
    fc.assert(fc.property(garbage, (token) => {
      expect(typeof decode(token, scope)).toBe("string")
    }))
  })
})

describe("the keys of a cluster", () => {
  const [former, present] = [keyOf(1), keyOf(2)]
  const rotating = { ...scope, keys: [present, former] }

  it("open each other's tokens while one replaces the other, and the first of them seals", () => {
    fc.assert(fc.property(context, (context) => {
      expect(decode(encode(context, scope), rotating)).toEqual(context)
      const token = encode(context, rotating)
      expect(token).toBe(encode(context, { ...scope, keys: [present] }))
      expect(decode(token, { ...scope, keys: [former, present] })).toEqual(context)
    }))
  })

  it("do not open a token whose key is none of them, and say that it is that", () => {
    fc.assert(fc.property(context, (context) => {
      expect(decode(encode(context, rotating), scope)).toBe("unknown-key")
    }))
  })

  it("open tokens where two of them have one id", () => {
    const alike = { ...keyOf(3), id: former.id }
    fc.assert(fc.property(context, (context) => {
      const token = encode(context, { ...scope, keys: [alike] })
      expect(decode(token, { ...scope, keys: [former, alike] })).toEqual(context)
      expect(decode(token, scope)).toBe("damaged")
    }))
  })

  it("have ids that follow from them, alike on every node", () => {
    expect([keyOf(1).id, keyOf(1).id, keyOf(2).id]).toEqual([0x695d, 0x695d, 0x32e6])
  })
})

const folderOf = (format: string) => new URL(`../../golden/${format}/`, import.meta.url)

const goldenToken = (format: string, name: string): string =>
  readFileSync(new URL(`${name}.txt`, folderOf(format)), "utf8").trim()

describe.each(["token-1", "token-2", "token-3"])("format %s", (format) => {
  it("is known by golden tokens, each of which is tested here", () => {
    const files = Object.keys(goldenContexts).map((name) => `${name}.txt`)
    expect(readdirSync(folderOf(format)).sort()).toEqual(files.sort())
  })

  it.each(Object.entries(goldenContexts))("reads its golden token: %s", (name, context) => {
    expect(decode(goldenToken(format, name), scope)).toEqual(context)
  })
})

describe("format token-3", () => {
  it.each(Object.entries(goldenContexts))("is written: %s", (name, context) => {
    expect(encode(context, scope)).toBe(goldenToken("token-3", name))
  })
})

describe("a token of format 1", () => {
  const token = goldenToken("token-1", "stamped")

  it("is opened with each of the cluster's keys", () => {
    const keys = [keyOf(2), ...scope.keys]
    expect(decode(token, { ...scope, keys })).toEqual(goldenContexts["stamped"])
    expect(decode(token, { ...scope, keys: [keyOf(2)] })).toBe("foreign")
  })

  it("is opened whichever byte it begins with, those of formats 2 and 3 among them", () => {
    const { bucket, key } = scope
    // The MACs of some stamps begin with 2 or 3: two of 256 do.
    const bound = `${bucket}\u0000${key.partition}\u0000${key.sort}\u0000`
    const firstBytes = new Set<number>()
    for (let stamp = 0; stamp < 2_000; stamp++) {
      const history = new ByteWriter().byte(1).varint(stamp).varint(0).finish()
      const mac = createHmac("sha256", scope.keys[0]!.key).update(bound).update(history).digest()
      firstBytes.add(mac[0]!)
      const token = Buffer.concat([mac.subarray(0, 12), history]).toString("base64url")
      expect(decode(token, scope)).toEqual({ vector: new Map(), stamp })
    }
    expect(firstBytes).toContain(2)
    expect(firstBytes).toContain(3)
  })

  it("is refused with any one bit flipped, and elsewhere", () => {
    const bytes = Buffer.from(token, "base64url")
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      expect(typeof decode(flipped(bytes, bit), scope)).toBe("string")
    }
    expect(decode(token, { ...scope, bucket: "carts2" })).toBe("foreign")
  })
})

describe("the join of contexts", () => {
  it("has seen all that either has seen", () => {
    fc.assert(fc.property(context, context, (a, b) => {
      const joined = CausalContext.join(a, b)
      expect(covers(joined.vector, a.vector) && covers(joined.vector, b.vector)).toBe(true)
      expect(joined.stamp).toBe(Math.max(a.stamp, b.stamp))
      expect(sorted(CausalContext.join(b, a).vector)).toEqual(sorted(joined.vector))
      expect(CausalContext.join(a, CausalContext.nothing)).toEqual(a)
    }))
  })

  it("has seen the writes that an answer in a session did not show", () => {
    fc.assert(fc.property(context, context, (shown, session) => {
      const answered = CausalContext.answered(shown, session)
      expect(answered.vector).toBe(shown.vector)
      const joined = CausalContext.join(CausalContext.nothing, answered)
      const both = CausalContext.join(shown, session)
      expect(sorted(joined.vector)).toEqual(sorted(both.vector))
      expect(joined.stamp).toBe(both.stamp)
    }))
  })
})
