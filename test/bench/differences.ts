/**
 * Compares three ways to find the versions in which two replicas differ, on bytes and round trips:
 * a walk down two hash trees, ranges of hashes (Meyer, "Range-Based Set Reconciliation", 2023), and
 * the product's sketches (Yang et al., "Practical Rateless Set Reconciliation", SIGCOMM 2024). Two
 * replicas hold 1,000,000 documents in 256 partitions, and one has missed some writes.
 *
 *     npx node --conditions=everwrite-source test/bench/differences.ts
 */
import { cellsOf, decode, subtract, wholeSlice } from "../../src/core/anti-entropy/Sketch.ts"
import { HashSet } from "../../src/core/anti-entropy/HashSet.ts"
import { ByteWriter } from "../../src/core/codec/Bytes.ts"
import { Mix64 } from "../../src/core/Mix64.ts"
import { writeAntiEntropy } from "../../src/transport/AntiEntropyMessages.ts"

const documents = 1_000_000
const partitions = 256
/** Of a hash, and of a bound of a range. */
const hashBytes = 8
/** Children of a node of the tree, and ranges that one is cut into. */
const fanOut = 16
/** Hashes that are listed rather than compared in parts. */
const listed = 16

interface Cost {
  readonly bytes: number
  readonly rounds: number
}

/** The hashes of a partition at two replicas, in order. */
interface Pair {
  readonly a: ReadonlyArray<number>
  readonly b: ReadonlyArray<number>
}

/** A number of 53 bits: most of the hash. */
const hashOf = (document: number, version: number): number => {
  const [high, low] = new Mix64().number(document).number(version).finish()
  return high * 2 ** 21 + (low >>> 11)
}

const inOrder = (hashes: Array<number>): ReadonlyArray<number> => hashes.sort((x, y) => x - y)

const pairs = (differences: number): ReadonlyArray<Pair> => {
  const missed = new Set<number>()
  for (let i = 0; missed.size < differences; i++) {
    missed.add(new Mix64().number(i).finish()[0] % documents)
  }
  const held = Array.from({ length: partitions }, () => ({
    a: new Array<number>(),
    b: new Array<number>()
  }))
  for (let document = 0; document < documents; document++) {
    const { a, b } = held[document % partitions]!
    a.push(hashOf(document, missed.has(document) ? 1 : 0))
    b.push(hashOf(document, 0))
  }
  return held.map(({ a, b }) => ({ a: inOrder(a), b: inOrder(b) }))
}

/** The first place whose hash is not below a bound. */
const placeOf = (hashes: ReadonlyArray<number>, bound: number): number => {
  let [low, high] = [0, hashes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (hashes[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}

const within = (hashes: ReadonlyArray<number>, from: number, to: number): ReadonlyArray<number> =>
  hashes.slice(placeOf(hashes, from), placeOf(hashes, to))

const isSame = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((hash, i) => hash === b[i])

const end = 2 ** 53

/** Asks for the children of each node that differs, and for the hashes under a last one. */
const tree = ({ a, b }: Pair): Cost => {
  const depth = Math.ceil(Math.log(a.length / listed) / Math.log(fanOut))
  const walk = (from: number, size: number, level: number): Cost => {
    const to = from + size
    const [left, right] = [within(a, from, to), within(b, from, to)]
    if (isSame(left, right)) return { bytes: 0, rounds: 0 }
    if (level === depth) return { bytes: 2 + hashBytes * right.length, rounds: 1 }
    const below = Array.from(
      { length: fanOut },
      (_, i) => walk(from + i * size / fanOut, size / fanOut, level + 1)
    )
    const bytes = 2 + hashBytes * fanOut
    return {
      bytes: below.reduce((sum, child) => sum + child.bytes, bytes),
      rounds: 1 + Math.max(...below.map(({ rounds }) => rounds))
    }
  }
  return walk(0, end, 0)
}

/** Cuts each range that differs, in turn at one node and at the other. */
const ranges = ({ a, b }: Pair): Cost => {
  const cut = (
    own: ReadonlyArray<number>,
    other: ReadonlyArray<number>,
    [from, to]: readonly [number, number]
  ): Cost => {
    if (isSame(own, other)) return { bytes: 0, rounds: 0 }
    if (own.length <= listed) return { bytes: 2 + hashBytes * own.length, rounds: 0.5 }
    const size = Math.ceil(own.length / fanOut)
    const bounds = Array.from(
      { length: fanOut + 1 },
      (_, i) => i === 0 ? from : i === fanOut ? to : own[i * size] ?? to
    )
    const below = bounds.slice(0, -1).map((low, i) => {
      const high = bounds[i + 1]!
      return cut(within(other, low, high), within(own, low, high), [low, high])
    })
    return {
      bytes: below.reduce((sum, child) => sum + child.bytes, fanOut * 2 * hashBytes),
      rounds: 0.5 + Math.max(...below.map(({ rounds }) => rounds))
    }
  }
  return cut(b, a, [0, end])
}

const setOf = (hashes: ReadonlyArray<number>): HashSet => {
  const set = new HashSet()
  for (const hash of hashes) set.add(Math.floor(hash / 2 ** 21), (hash % 2 ** 21) * 2 ** 11)
  return set
}

const firstCells = (set: HashSet, count: number) =>
  cellsOf((visit) => set.each(visit), { from: 0, count, slice: wholeSlice })

/** Asks for as many cells again until they tell, by the product's own messages. */
const sketches = ({ a, b }: Pair): Cost => {
  if (isSame(a, b)) return { bytes: 0, rounds: 0 }
  const [left, right] = [setOf(a), setOf(b)]
  for (let [count, rounds] = [8, 1];; count *= 2, rounds++) {
    const theirs = firstCells(left, count)
    if (decode(subtract(theirs, firstCells(right, count))) === undefined) continue
    const writer = new ByteWriter()
    writeAntiEntropy(writer, { kind: "Sketched", sum: left.sum, cells: theirs })
    // A question takes 12 bytes, and each answer some 12 before its cells.
    return { bytes: writer.length + 24 * rounds, rounds }
  }
}

/** All begin with one message that has the sums of all partitions, up to 12 bytes each. */
const roots = 12 * partitions

const ways = { tree, ranges, sketches }

console.log("| documents that differ | the difference | tree | ranges | sketches |")
console.log("| --- | --- | --- | --- | --- |")
for (const differences of [0, 1, 100, 10_000]) {
  const held = pairs(differences)
  const cells = Object.values(ways).map((way) => {
    const costs = held.map((pair) => way(pair))
    const bytes = costs.reduce((sum, cost) => sum + cost.bytes, roots)
    const rounds = 1 + Math.ceil(Math.max(...costs.map((cost) => cost.rounds)))
    return `${bytes.toLocaleString("en")} in ${rounds}`
  })
  const floor = (2 * hashBytes * differences).toLocaleString("en")
  console.log(`| ${[differences.toLocaleString("en"), floor, ...cells].join(" | ")} |`)
}
