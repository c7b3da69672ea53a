/**
 * Makes clusters of every kind for the tests of the ring: members with and without zones and
 * weights, and the changes that happen to them.
 */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { NodeId } from "../../../src/core/model/Names.ts"
import { byId, type Member, type MemberChange } from "../../../src/core/ring/Membership.ts"
import * as Ring from "../../../src/core/ring/Ring.ts"

export const nodeId = (name: string): NodeId => NodeId.make(name)

export const member = (
  name: string,
  options: { readonly weight?: number; readonly zone?: string | undefined } = {}
): Member => ({ id: nodeId(name), weight: options.weight ?? 1, zone: options.zone })

/** Members of equal weight in no zone. */
export const members = (count: number): ReadonlyArray<Member> =>
  Array.from({ length: count }, (_, index) => member(`n${index}`))

/** Changes that take effect together. */
export type Changes = readonly [MemberChange, ...ReadonlyArray<MemberChange>]

export const join = (...joining: ReadonlyArray<Member>): Changes =>
  nonEmpty(joining.toSorted(byId).map((one) => ({ _tag: "Join", member: one }) as const))

export const entry = (...changes: ReadonlyArray<MemberChange>): Changes => nonEmpty(changes)

const nonEmpty = <A>([first, ...others]: ReadonlyArray<A>): readonly [A, ...ReadonlyArray<A>] => {
  if (first === undefined) throw new Error("nothing given")
  return [first, ...others]
}

export const ringOf = (
  log: ReadonlyArray<Changes>,
  options: Partial<Ring.RingOptions> = {}
): Ring.Ring =>
  log.reduce(
    (ring, changes) => Result.getOrThrow(Ring.step(ring, changes)),
    Ring.empty({ partitionCount: 256, replicaCount: 3, ...options })
  )

export const step = (ring: Ring.Ring, ...changes: ReadonlyArray<MemberChange>): Ring.Ring =>
  Result.getOrThrow(Ring.step(ring, changes))

const weight = fc.oneof(
  fc.constant(1),
  fc.constantFrom(0.5, 2, 3, 10),
  fc.double({ min: 0.001, max: 1000, noNaN: true })
)

/** Some clusters have no zones, others up to six, with nodes in none among them. */
const zoneNames = fc.constantFrom(0, 1, 2, 3, 4, 6).map((count) =>
  count === 0
    ? [undefined]
    : [undefined, ...Array.from({ length: count * 3 }, (_, i) => `zone-${i % count}`)]
)

/** Places for nodes: what a member is but for its id. */
export const places = (options: { readonly minLength: number; readonly maxLength: number }) =>
  zoneNames.chain((names) =>
    fc.array(fc.record({ weight, zone: fc.constantFrom(...names) }), options)
  )

/** A cluster that forms and then changes; the changes are chosen as they come to fit. */
export const histories = (options: { readonly nodes: number; readonly changes: number }) =>
  fc.record({
    first: places({ minLength: 1, maxLength: options.nodes }),
    changes: fc.array(
      fc.record({
        kind: fc.constantFrom("Join", "Leave", "Replace", "Adjust"),
        pick: fc.nat(),
        place: places({ minLength: 1, maxLength: 1 })
      }),
      { maxLength: options.changes }
    ),
    partitionCount: fc.constantFrom(1, 2, 16, 64, 256),
    replicaCount: fc.constantFrom(1, 2, 3, 3, 3, 4, 5)
  })

type History = ReturnType<typeof histories> extends fc.Arbitrary<infer A> ? A : never

/** Every ring that a history passes through, the first one formed at once. */
export const ringsOf = (history: History): ReadonlyArray<Ring.Ring> => {
  const { partitionCount, replicaCount } = history
  const first = history.first.map((place, index) => member(`n${index}`, place))
  const rings = [ringOf([join(...first)], { partitionCount, replicaCount })]
  for (const [index, { kind, pick, place }] of history.changes.entries()) {
    const ring = rings.at(-1)!
    const picked = ring.members[pick % ring.members.length]!
    const fresh = member(`m${index}`, place[0])
    if (kind === "Join") rings.push(step(ring, { _tag: "Join", member: fresh }))
    if (kind === "Leave" && ring.members.length > 1) {
      rings.push(step(ring, { _tag: "Leave", id: picked.id }))
    }
    if (kind === "Replace") rings.push(step(ring, { _tag: "Replace", id: picked.id, by: fresh }))
    if (kind === "Adjust") {
      rings.push(step(ring, { _tag: "Adjust", member: { ...fresh, id: picked.id } }))
    }
  }
  return rings
}

/** How many partitions each node holds; with `rank`, at that place of the lists alone. */
export const holdingsOf = (ring: Ring.Ring, rank?: number): ReadonlyMap<NodeId, number> => {
  const counts = new Map(ring.members.map(({ id }) => [id, 0]))
  for (const list of ring.owners) {
    for (const id of rank === undefined ? list : [list[rank]!]) counts.set(id, counts.get(id)! + 1)
  }
  return counts
}
