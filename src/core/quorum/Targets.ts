/**
 * Numbers the nodes of one request, so that a set of them is one small integer.
 *
 * Index 0 to t - 1 are the targets, in the order given; index t and up are the fallbacks, which are
 * asked in order, one for each target that fails. Bit i of a set stands for index i.
 */
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"

/** A node of the preference list to which the request goes at once. */
export interface Target {
  readonly node: NodeId
  /** A primary: its vote counts for `pr` and `pw` where it says that it is complete. */
  readonly primary: boolean
  /**
   * Held the whole partition under the previous owners, while a transfer goes on: then `pr` and
   * `pw` must be met among these too. One that is not `primary` is leaving and needs no stand-in.
   */
  readonly previous: boolean
  /** Believed up. Others are not sent to; a fallback stands in for them from the start. */
  readonly up: boolean
}

/** **Requires** that no node occurs twice, and that fallbacks are believed up. */
export interface Nodes {
  readonly targets: ReadonlyArray<Target>
  readonly fallbacks: ReadonlyArray<NodeId>
}

/** `Nodes` with the bit sets that every step needs. */
export interface Targets extends Nodes {
  readonly primaries: number
  readonly previous: number
  readonly down: number
}

/** Which target each fallback asked so far stands for: the first in `[0]`, and so on. */
export type StandIns = ReadonlyArray<number>

/** A fallback to ask now. As a write it keeps the document, and a hint for `hintFor`, as one. */
export interface Substitute {
  readonly index: number
  readonly node: NodeId
  readonly hintFor: NodeId
}

/** Targets and fallbacks of one request; a fallback that would be the 31st node is never asked. */
const nodesMax = 30

export const make = ({ fallbacks, targets }: Nodes): Targets => {
  invariant(targets.length <= nodesMax, "a request has at most 30 targets")
  let primaries = 0
  let previous = 0
  let down = 0
  for (let index = 0; index < targets.length; index++) {
    const target = targets[index]!
    if (target.primary) primaries |= 1 << index
    if (target.previous) previous |= 1 << index
    if (!target.up) down |= 1 << index
  }
  return { targets, fallbacks, primaries, previous, down }
}

/** The index under which a node's answers are reported; -1, which is ignored, for a stranger. */
export const indexOf = ({ fallbacks, targets }: Nodes, node: NodeId): number => {
  for (let index = 0; index < targets.length; index++) {
    if (targets[index]!.node === node) return index
  }
  const fallback = fallbacks.indexOf(node)
  return fallback === -1 ? -1 : targets.length + fallback
}

/** The set of the first `count` indices. */
export const firstIndices = (count: number): number => (1 << count) - 1

/** The nodes to which the request was sent. */
export const asked = (nodes: Targets, standIns: StandIns): number =>
  firstIndices(nodes.targets.length + standIns.length) & ~nodes.down

/** The set of `index` alone, or the empty set if that node was not asked. */
export const only = (index: number, asked: number): number =>
  index >= 0 && index < nodesMax ? asked & (1 << index) : 0

export const has = (set: number, index: number): boolean => (set >>> index & 1) === 1

export const size = (set: number): number => {
  const pairs = set - (set >>> 1 & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + (pairs >>> 2 & 0x3333_3333)
  return Math.imul(fours + (fours >>> 4) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}

/** Votes that count for `pr` and `pw`: during a transfer, the fewer of both owner sets. */
export const primaryVotes = (nodes: Targets, votes: number): number => {
  const current = size(votes & nodes.primaries)
  return nodes.previous === 0 ? current : Math.min(current, size(votes & nodes.previous))
}

/** Adds a fallback for each of the `failed` targets that has none alive, while they last. */
export const substitute = (nodes: Targets, standIns: StandIns, failed: number): StandIns => {
  const count = nodes.targets.length
  const leaving = nodes.previous & ~nodes.primaries
  let lacking = failed & firstIndices(count) & ~leaving
  if (lacking === 0) return standIns
  for (let i = 0; i < standIns.length; i++) {
    if (!has(failed, count + i)) lacking &= ~(1 << standIns[i]!)
  }
  const left = Math.min(nodes.fallbacks.length, nodesMax - count) - standIns.length
  const added: Array<number> = []
  for (; lacking !== 0 && added.length < left; lacking &= lacking - 1) {
    added.push(31 - Math.clz32(lacking & -lacking))
  }
  return added.length === 0 ? standIns : [...standIns, ...added]
}

/** Spells out the stand-ins from the `from`th on. */
export const substitutes = (
  nodes: Targets,
  standIns: StandIns,
  from: number
): ReadonlyArray<Substitute> =>
  standIns.length === from ? none : standIns.slice(from).map((target, i) => ({
    index: nodes.targets.length + from + i,
    node: nodes.fallbacks[from + i]!,
    hintFor: nodes.targets[target]!.node
  }))

/** The target in whose place a node is asked; undefined where it is asked for itself. */
export const standsFor = (
  { nodes, standIns }: { readonly nodes: Targets; readonly standIns: StandIns },
  node: NodeId
): NodeId | undefined => {
  if (standIns.length === 0) return undefined
  const target = standIns[nodes.fallbacks.indexOf(node)]
  return target === undefined ? undefined : nodes.targets[target]!.node
}

export const none: ReadonlyArray<never> = []

export const nodeAt = ({ fallbacks, targets }: Nodes, index: number): NodeId =>
  index < targets.length ? targets[index]!.node : fallbacks[index - targets.length]!

/** The nodes of a set, in order. */
export const nodesOf = (nodes: Nodes, set: number): ReadonlyArray<NodeId> => {
  const found: Array<NodeId> = []
  for (let rest = set; rest !== 0; rest &= rest - 1) {
    found.push(nodeAt(nodes, 31 - Math.clz32(rest & -rest)))
  }
  return found
}
