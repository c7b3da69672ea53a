/**
 * Divides the ring by weight, as evenly as distinct owners in distinct zones allow.
 *
 * A node holds a partition once, and a zone holds it at most so many times, so that a heavy node or
 * a small zone cannot take all that its weight asks for. The rest is poured over the others: the
 * weighted max-min fair division, found by water-filling. All sums are exact, because every node
 * must come to the same division.
 */
import { invariant } from "../Invariant.ts"

/** The bounds of a node's share: rounded down, and rounded up. */
export interface Share {
  readonly least: number
  readonly most: number
}

/** The share of each node, in the order of `weights`. */
export const sharesOf = (options: {
  readonly weights: ReadonlyArray<number>
  /** The zone of each node. */
  readonly zones: ReadonlyArray<number>
  /** How many (partition, owner) pairs there are to divide. */
  readonly total: number
  readonly nodeCap: number
  readonly zoneCap: number
}): ReadonlyArray<Share> => {
  const { nodeCap, zoneCap } = options
  const weights = integersOf(options.weights)
  const shares: Array<Fraction> = []
  const pourOver = (nodes: ReadonlyArray<number>, total: number) =>
    pour({ nodes, weights, total, nodeCap, shares })
  let total = options.total
  let open = [...Map.groupBy(weights.keys(), (node) => options.zones[node]!).values()]
  while (open.length > 0) {
    pourOver(open.flat(), total)
    // Setting a full zone aside only raises the level, so a zone above its cap stays above it.
    const over = open.filter((zone) => isOver(zone.map((node) => shares[node]!), zoneCap))
    if (over.length === 0) break
    for (const zone of over) pourOver(zone, zoneCap)
    total -= zoneCap * over.length
    open = open.filter((zone) => !over.includes(zone))
  }
  return shares.map(({ whole, rest }) => ({ least: whole, most: rest > 0n ? whole + 1 : whole }))
}

/** `whole + rest / unit`, the fraction below 1. */
interface Fraction {
  readonly whole: number
  readonly rest: bigint
  readonly unit: bigint
}

/** The weights times the one power of two that makes all of them integers; doubling is exact. */
const integersOf = (weights: ReadonlyArray<number>): ReadonlyArray<bigint> => {
  let scaled = weights
  while (!scaled.every(Number.isInteger)) scaled = scaled.map((weight) => weight * 2)
  return scaled.map(BigInt)
}

/** Pours `total` over `nodes` by weight, at most `nodeCap` into each. */
const pour = (options: {
  readonly nodes: ReadonlyArray<number>
  readonly weights: ReadonlyArray<bigint>
  readonly total: number
  readonly nodeCap: number
  readonly shares: Array<Fraction>
}): void => {
  const { weights, nodeCap, shares } = options
  let open = options.nodes
  let total = BigInt(options.total)
  for (;;) {
    const unit = open.reduce((sum, node) => sum + weights[node]!, 0n)
    const isFull = (node: number) => weights[node]! * total >= BigInt(nodeCap) * unit
    const full = open.filter(isFull)
    if (full.length === 0) {
      invariant(open.length > 0 || total === 0n, "the whole ring is divided")
      for (const node of open) {
        const amount = weights[node]! * total
        shares[node] = { whole: Number(amount / unit), rest: amount % unit, unit }
      }
      return
    }
    for (const node of full) shares[node] = { whole: nodeCap, rest: 0n, unit: 1n }
    open = open.filter((node) => !isFull(node))
    total -= BigInt(nodeCap * full.length)
  }
}

const isOver = (shares: ReadonlyArray<Fraction>, cap: number): boolean => {
  const whole = shares.reduce((sum, share) => sum + share.whole, 0)
  const rest = shares.reduce((sum, share) => sum + share.rest, 0n)
  // All fractions of one pouring have the same unit, which is the largest here.
  const unit = shares.reduce((most, share) => (share.unit > most ? share.unit : most), 1n)
  return BigInt(whole - cap) * unit + rest > 0n
}
