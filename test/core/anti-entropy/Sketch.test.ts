// Hashes of versions, sets of them, and the sketches that tell their difference.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type HashList, HashSet } from "../../../src/core/anti-entropy/HashSet.ts"
import {
  type Cells,
  cellsOf,
  decode,
  type Difference,
  isInSlice,
  type Slice,
  subtract,
  wholeSlice
} from "../../../src/core/anti-entropy/Sketch.ts"
import { VersionHasher } from "../../../src/core/anti-entropy/VersionHash.ts"

const word = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
const hash = fc.tuple(word, word)
const some = fc.uniqueArray(hash, { selector: String, maxLength: 40 })

const setOf = (hashes: ReadonlyArray<readonly [number, number]>): HashSet => {
  const set = new HashSet()
  for (const [high, low] of hashes) set.add(high, low)
  return set
}

const texts = (list: HashList): ReadonlyArray<string> =>
  Array.from({ length: list.length / 2 }, (_, i) => `${list[2 * i]} ${list[2 * i + 1]}`)
    .toSorted()

const cells = (set: HashSet, count: number, slice: Slice = wholeSlice): Cells =>
  cellsOf((visit) => set.each(visit), { from: 0, count, slice })

/** The difference, from as many cells as it takes. */
const reconcile = (theirs: HashSet, ours: HashSet, slice?: Slice): Difference => {
  for (let count = 1; count < 10_000; count *= 2) {
    const found = decode(subtract(cells(theirs, count, slice), cells(ours, count, slice)))
    if (found !== undefined) return found
  }
  throw new Error("ten thousand cells tell no difference")
}

const without = (all: HashSet, others: HashSet, slice: Slice): ReadonlyArray<string> => {
  const left = new HashSet()
  all.each((high, low) => {
    if (isInSlice(slice, high) && !others.has(high, low)) left.add(high, low)
  })
  return texts(left.list())
}

/** In hexadecimal digits, the lower half first. */
const bytes = ({ high, low }: VersionHasher) => {
  const view = new DataView(new ArrayBuffer(8))
  view.setUint32(0, low, true)
  view.setUint32(4, high, true)
  return Buffer.from(view.buffer).toString("hex")
}

describe("the hash of a version", () => {
  it("is HalfSipHash-2-4, as its authors' test vectors have it", () => {
    const hasher = new VersionHasher([0x07060504, 0x03020100])
    expect(bytes(hasher.words([], 0))).toBe("218d1f59b9b83cc8")
    expect(bytes(hasher.words([], 1 << 24))).toBe("be552412f8387315")
  })

  it("differs where key, digest or the cluster's key do", () => {
    const key = { partition: 1, bucket: "b", partitionKey: "k", sortKey: "" }
    const digest = "0123456789abcdef"
    const hashes = [
      new VersionHasher([1, 2]).hash(key, digest),
      new VersionHasher([1, 3]).hash(key, digest),
      new VersionHasher([1, 2]).hash({ ...key, partitionKey: "l" }, digest),
      new VersionHasher([1, 2]).hash({ ...key, bucket: "c" }, digest),
      new VersionHasher([1, 2]).hash(key, "0123456789abcdee"),
      new VersionHasher([1, 2]).hash(key, "0123456689abcdef")
    ].map(({ high, low }) => `${high} ${low}`)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})

describe("a set of hashes", () => {
  it("holds what was added and not removed, with its sum", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.tuple(fc.nat(3), fc.nat(40))), {
      maxLength: 200
    })
    fc.assert(fc.property(steps, (drawn) => {
      const set = new HashSet()
      const model = new Map<string, readonly [number, number]>()
      for (const [adds, [high, low]] of drawn) {
        const known = model.has(`${high} ${low}`)
        // Two zeros are taken for another hash.
        if (high === 0 && low <= 1) continue
        expect(set.has(high, low)).toBe(known)
        if (adds) expect(set.add(high, low)).toBe(!known)
        else expect(set.delete(high, low)).toBe(known)
        if (adds) model.set(`${high} ${low}`, [high, low])
        else model.delete(`${high} ${low}`)
      }
      expect(texts(set.list())).toEqual([...model.keys()].toSorted())
      expect(set.sum).toEqual(setOf([...model.values()]).sum)
      expect(set.size).toBe(model.size)
    }))
  })
})

describe("sketches of two sets", () => {
  it("tell exactly the hashes that only one of them has", () => {
    const slices = fc.integer({ min: 0, max: 3 }).chain((bits) =>
      fc.record({ bits: fc.constant(bits), prefix: fc.nat(2 ** bits - 1) })
    )
    fc.assert(fc.property(some, some, some, slices, (both, left, right, slice) => {
      const [theirs, ours] = [setOf([...both, ...left]), setOf([...both, ...right])]
      const found = reconcile(theirs, ours, slice)
      expect(texts(found.theirs)).toEqual(without(theirs, ours, slice))
      expect(texts(found.ours)).toEqual(without(ours, theirs, slice))
    }))
  })

  it("go on where earlier cells end", () => {
    fc.assert(fc.property(some, fc.nat(30), fc.nat(30), (hashes, from, count) => {
      const set = setOf(hashes)
      const all = cells(set, from + count)
      const rest = cellsOf((visit) => set.each(visit), { from, count, slice: wholeSlice })
      expect(rest).toEqual(all.subarray(4 * from))
    }))
  })

  it("take fewer than three cells for each hash that differs, where many do", () => {
    const random = Array.from({ length: 2_000 }, (_, i) => new VersionHasher([7, 9]).words([i], 4))
    const hashes = random.map(({ high, low }) => [high, low] as const)
    const [theirs, ours] = [setOf(hashes), setOf(hashes.slice(500))]
    expect(decode(subtract(cells(theirs, 1_500), cells(ours, 1_500)))?.theirs).toHaveLength(1_000)
  })

  it("of other bytes end without a difference, or with one", () => {
    const bytes = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 0, maxLength: 80 })
    fc.assert(fc.property(bytes, (words) => {
      const whole = new Int32Array(words.length - words.length % 4).map((_, i) => words[i]!)
      expect(() => decode(whole)).not.toThrow()
    }))
  })
})
