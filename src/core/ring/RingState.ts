/**
 * Holds all that a node knows of its ring: the log of members, the ring that this leads to, and the
 * rings before it that a node served while their owners still have to hand over. Answers where the
 * requests of a partition go (Dynamo, sections 4.3 and 4.9).
 *
 * During a transfer the nodes do not all serve the same ring, and a document may be only with its
 * owners under an earlier one. So those are asked too, until the ownership handoff is complete.
 */
import * as Result from "effect/Result"
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"
import type { EntryId, LogEntry } from "./LogEntry.ts"
import * as MembershipLog from "./MembershipLog.ts"
import { replay, type Replayed, type VoidEntry } from "./Replay.ts"
import * as Ring from "./Ring.ts"

/** A node of a placement, in the shape of `core/quorum`'s targets. */
export interface PlacedNode {
  readonly node: NodeId
  /** A complete primary. */
  readonly primary: boolean
  /** Held the whole partition under the previous owners, while a transfer goes on. */
  readonly previous: boolean
  /** Always true: the value is shared by all requests, and belief changes between two of them. */
  readonly up: boolean
}

/** Where the requests go to buckets with one n, for the keys of one partition. */
export interface Placement {
  /** The first n of the preference list. */
  readonly primaries: ReadonlyArray<NodeId>
  /** The primaries, then the previous ones that are leaving. */
  readonly targets: ReadonlyArray<PlacedNode>
  /** The other members that stand in for targets, in the order in which they do. */
  readonly fallbacks: ReadonlyArray<NodeId>
}

export interface RingState {
  readonly log: MembershipLog.MembershipLog
  /** The ring that the log leads to. */
  readonly ring: Ring.Ring
  /** The entries that made the ring, in order. */
  readonly applied: ReadonlyArray<LogEntry>
  /** Entries without effect; their authors are to be told. */
  readonly voided: ReadonlyArray<VoidEntry>
  /** Each ring that a node served since all was settled, the oldest first. Empty when settled. */
  readonly previous: ReadonlyArray<Ring.Ring>
  /** The placements computed so far: no part of the value. */
  readonly placements: Map<number, Placement>
}

/** The settled state of a log: every member is complete for each of its partitions. */
export const make = (
  options: Ring.RingOptions & { readonly log: MembershipLog.MembershipLog }
): RingState => {
  const { log } = options
  const replayed = replay(log)
  const ring = trail(Ring.empty(options), replayed.applied).at(-1)?.ring
  invariant(ring !== undefined, "the formation of a log takes effect")
  return complete({ log, ring, previous: [], ...replayed })
}

/**
 * The state after entries that others made, or this node itself: `incoming` is joined to the log.
 *
 * **Guarantees** that nodes with equal logs have equal rings, in any order of the entries; the same
 * state where `incoming` brings nothing.
 *
 * **Fails with** `UnjoinableLog` where `incoming` is of another cluster.
 */
export const step = (
  state: RingState,
  incoming: MembershipLog.MembershipLog
): Result.Result<RingState, MembershipLog.UnjoinableLog> =>
  Result.map(MembershipLog.join(state.log, incoming), (log) => {
    if (log === state.log) return state
    const replayed = replay(log)
    const ring = trailOf(state, replayed).at(-1)?.ring ?? state.ring
    const served = servedSince(state, log)
    const previous = distinct([...state.previous, state.ring, ...served])
      .filter(({ digest }) => digest !== ring.digest)
    return complete({ log, ring, previous, ...replayed })
  })

/** The state when every owner is complete, and no node serves an earlier ring. */
export const settle = (state: RingState): RingState => ({
  ...state,
  previous: [],
  placements: new Map()
})

export const isSettled = ({ previous }: RingState): boolean => previous.length === 0

/** Every node, the owners first: see `Ring.preferenceList`. */
export const preferenceList = (state: RingState, partition: number): ReadonlyArray<NodeId> =>
  Ring.preferenceList(state.ring, partition)

interface PlacementOptions {
  readonly n: number
  readonly partition: number
  /** Whether others stand in for targets that fail; without, there are no fallbacks. */
  readonly withFallbacks: boolean
}

/**
 * Where requests go to a bucket with `n` replicas, for keys of `partition`.
 *
 * **Guarantees** the same value at each call: it is computed once.
 */
export const placement = (state: RingState, options: PlacementOptions): Placement => {
  const { n, partition, withFallbacks } = options
  const key = (n * state.ring.partitionCount + partition) * 2 + Number(withFallbacks)
  const known = state.placements.get(key)
  if (known !== undefined) return known
  const found = place(state, options)
  state.placements.set(key, found)
  return found
}

const place = (
  state: RingState,
  { n, partition, withFallbacks }: PlacementOptions
): Placement => {
  const { removed } = state.ring
  const list = Ring.preferenceList(state.ring, partition)
  const primaries = list.slice(0, n)
  const before = state.previous.map((ring) =>
    Ring.preferenceList(ring, partition).slice(0, n).filter((node) => !removed.has(node))
  )
  // A node that some ring in between did not name may lack writes under that ring.
  const isComplete = (node: NodeId) => before.every((owners) => owners.includes(node))
  const leaving = [...new Set(before.flat())].filter((node) => !primaries.includes(node))
  const targets = [
    ...primaries.map((node): PlacedNode => {
      const primary = isComplete(node)
      return { node, primary, previous: primary && before.length > 0, up: true }
    }),
    ...leaving.map((node): PlacedNode => ({ node, primary: false, previous: true, up: true }))
  ]
  const fallbacks = withFallbacks ? list.slice(n).filter((node) => !leaving.includes(node)) : []
  return { primaries, targets, fallbacks }
}

const complete = (
  state: Replayed & Pick<RingState, "log" | "ring" | "previous">
): RingState => {
  const { applied, log, previous, ring, voided } = state
  return { log, ring, applied, voided, previous, placements: new Map() }
}

interface Passed {
  readonly id: EntryId
  readonly ring: Ring.Ring
}

/** The rings after each of the entries. */
const trail = (from: Ring.Ring, entries: ReadonlyArray<LogEntry>): ReadonlyArray<Passed> => {
  const passed: Array<Passed> = []
  let ring = from
  for (const { changes, id } of entries) {
    ring = Result.getOrThrow(Ring.step(ring, changes))
    passed.push({ id, ring })
  }
  return passed
}

/** The rings that a log passes through: on from the present one where it only goes on. */
const trailOf = (state: RingState, { applied }: Replayed): ReadonlyArray<Passed> =>
  state.applied.every(({ id }, index) => id === applied[index]?.id)
    ? trail(state.ring, applied.slice(state.applied.length))
    : trail(Ring.empty(state.ring), applied)

/** The rings that authors of new entries served: the entries that each knew lead to one. */
const servedSince = (
  state: RingState,
  log: MembershipLog.MembershipLog
): ReadonlyArray<Ring.Ring> =>
  MembershipLog.heads(log).flatMap((head) =>
    trailOf(state, replay(MembershipLog.pastOf(log, head)))
      .filter(({ id }) => !state.log.entries.has(id))
      .map(({ ring }) => ring)
  )

const distinct = (rings: ReadonlyArray<Ring.Ring>): ReadonlyArray<Ring.Ring> => [
  ...new Map(rings.map((ring) => [ring.digest, ring])).values()
]
