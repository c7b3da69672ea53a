/**
 * Generates the messages by which two nodes compare what they hold, and lists one of each kind.
 */
import * as fc from "fast-check"
import type { AntiEntropyBody } from "../../schemas/AntiEntropyMessage.ts"
import { completenesses } from "../../src/core/model/Completeness.ts"
import { encodeFields } from "../../src/core/model/DocumentKey.ts"

const count = fc.oneof(fc.nat(300), fc.maxSafeNat())
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const sum = fc.record({ high: word, low: word, count })
const digest = fc.stringMatching(/^[0-9a-f]{16}$/u)
const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/u)
const scope = fc.oneof(fc.constant(""), name)
const sums = fc.array(fc.record({ partition: count, sum }), { maxLength: 4 })
const partitions = fc.array(count, { maxLength: 4 })
const versions = fc.array(fc.tuple(word, word), { maxLength: 4 })
  .map((pairs) => Uint32Array.from(pairs.flat()))
const signed = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const cells = fc.array(fc.tuple(signed, signed, signed, signed), { maxLength: 4 })
  .map((rows) => Int32Array.from(rows.flat()))
const slice = fc.integer({ min: 0, max: 16 }).chain((bits) =>
  fc.record({ bits: fc.constant(bits), prefix: fc.nat(2 ** bits - 1) })
)
const half = fc.array(fc.string({ maxLength: 10 }).filter((text) => text.isWellFormed()), {
  maxLength: 2
}).map(encodeFields)
const key = fc.record({ partition: half, sort: half })
const cursor = fc.option(fc.record({ bucket: name, key }), { nil: undefined })
const fingerprint = fc.oneof(fc.constant(""), digest)
const document = fc.uint8Array({ maxLength: 30 })
const documents = fc.array(fc.record({ bucket: name, fingerprint, key, document }), {
  maxLength: 3
})

const kind = <const Kind extends AntiEntropyBody["kind"]>(of: Kind) => ({ kind: fc.constant(of) })

const body: fc.Arbitrary<AntiEntropyBody> = fc.oneof(
  fc.record({ ...kind("Compare"), bucket: scope, ring: digest, hashKey: digest, sums }),
  fc.record({
    ...kind("Compared"),
    outcome: fc.constantFrom("compared" as const, "other ring", "other key", "busy"),
    completeness: fc.constantFrom(...completenesses),
    differing: sums,
    unread: partitions
  }),
  fc.record({ ...kind("Sketch"), bucket: scope, partition: count, slice, from: count, count }),
  fc.record({ ...kind("Sketched"), sum, cells }),
  fc.record({ ...kind("Pull"), bucket: scope, partition: count, versions, after: cursor }),
  fc.record({ ...kind("Pulled"), documents, through: cursor }),
  fc.record({ ...kind("Offer"), partition: count, versions }),
  fc.record({ ...kind("Lacking"), versions }),
  fc.record({ ...kind("Push"), documents }),
  fc.record({ ...kind("Pushed"), stored: count, refused: count }),
  fc.record({ ...kind("Keeping"), ring: digest, hashKey: digest, partitions })
)

export const antiEntropy = fc.record({
  _tag: fc.constant("AntiEntropy" as const),
  request: count,
  body
})

const goldenSum = { high: 0xfedcba98, low: 0x00000001, count: 300 }
const goldenKey = { partition: "salice", sort: "i20000000000007" }
const goldenDocument = {
  bucket: "carts",
  fingerprint: "fedcba9876543210",
  key: goldenKey,
  document: Uint8Array.of(1, 0, 0)
}
const goldenVersions = Uint32Array.of(0xfedcba98, 1, 2, 0x76543210)

/** Of each kind one, with its bytes kept. */
export const goldenBodies: ReadonlyArray<AntiEntropyBody> = [
  {
    kind: "Compare",
    bucket: "",
    ring: "0123456789abcdef",
    hashKey: "fedcba9876543210",
    sums: [{ partition: 200, sum: goldenSum }]
  },
  {
    kind: "Compared",
    outcome: "compared",
    completeness: "complete",
    differing: [{ partition: 200, sum: goldenSum }],
    unread: [1, 255]
  },
  {
    kind: "Sketch",
    bucket: "carts",
    partition: 200,
    slice: { bits: 9, prefix: 300 },
    from: 8,
    count: 16
  },
  { kind: "Sketched", sum: goldenSum, cells: Int32Array.of(-1, 2, 3, -300, 4, 5, 6, 300) },
  {
    kind: "Pull",
    bucket: "",
    partition: 200,
    versions: goldenVersions,
    after: { bucket: "carts", key: goldenKey }
  },
  { kind: "Pulled", documents: [goldenDocument], through: undefined },
  { kind: "Offer", partition: 200, versions: goldenVersions },
  { kind: "Lacking", versions: Uint32Array.of(2, 0x76543210) },
  { kind: "Push", documents: [goldenDocument] },
  { kind: "Pushed", stored: 1, refused: 0 },
  {
    kind: "Keeping",
    ring: "0123456789abcdef",
    hashKey: "fedcba9876543210",
    partitions: [1, 255]
  }
]
