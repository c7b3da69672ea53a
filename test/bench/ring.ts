/**
 * Measures how long a claim takes, when a cluster forms and when one node joins, and how much a
 * single change moves against the least that the shares allow.
 */
import * as Result from "effect/Result"
import { NodeId } from "../../src/core/model/Names.ts"
import { byId, type Member, type MemberChange } from "../../src/core/ring/Membership.ts"
import { moves } from "../../src/core/ring/Moves.ts"
import * as Ring from "../../src/core/ring/Ring.ts"
import { leastByCounts } from "../core/ring/leastMoves.ts"

type Kind = (index: number) => Pick<Member, "weight" | "zone">

const kinds: ReadonlyArray<readonly [string, Kind]> = [
  ["equal nodes", () => ({ weight: 1 })],
  ["weights 1, 2, 4", (index) => ({ weight: [1, 2, 4][index % 3]! })],
  ["three zones", (index) => ({ weight: 1, zone: `zone-${index % 3}` })],
  ["five zones", (index) => ({ weight: 1, zone: `zone-${index % 9 % 5}` })],
  ["weights and zones", (index) => ({
    weight: [1, 2, 4][index % 3]!,
    zone: `zone-${index % 9 % 5}`
  })]
]

const nodeOf = (kind: Kind, index: number): Member => ({
  id: NodeId.make(`node-${index}`),
  ...kind(index)
})

const form = (kind: Kind, size: number, partitionCount = 256): Ring.Ring => {
  const joins = Array.from({ length: size }, (_, index) => nodeOf(kind, index))
    .sort(byId).map((member) => ({ _tag: "Join" as const, member }))
  return Result.getOrThrow(Ring.step(Ring.empty({ partitionCount, replicaCount: 3 }), joins))
}

const change = (ring: Ring.Ring, by: MemberChange): Ring.Ring =>
  Result.getOrThrow(Ring.step(ring, [by]))

/** The median of several runs. */
const millis = (work: () => unknown): string => {
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now()
    work()
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[4]!.toFixed(1)
}

/** Moved pairs over the least, summed over joins and leaves by turns. */
const movedRatio = (kind: Kind, size: number): string => {
  let ring = form(kind, size)
  let [moved, least] = [0, 0]
  for (let round = 0; round < 40; round++) {
    const leaving = ring.members[(round * 7) % ring.members.length]!
    const next = change(
      ring,
      round % 2 === 0
        ? { _tag: "Join", member: nodeOf(kind, size + round) }
        : { _tag: "Leave", id: leaving.id }
    )
    moved += moves(ring, next).gained.length
    least += leastByCounts(ring, next)
    ring = next
  }
  return (moved / least).toFixed(3)
}

const report = (size: number, partitionCount: number): void => {
  for (const [name, kind] of kinds) {
    const ring = form(kind, size, partitionCount)
    const joining = { _tag: "Join", member: nodeOf(kind, size) } as const
    const formed = millis(() => form(kind, size, partitionCount))
    const joined = millis(() => change(ring, joining))
    const ratio = size === 12 || size === 50 ? `, moved/least ${movedRatio(kind, size)}` : ""
    console.log(
      `Q ${partitionCount}, ${size} nodes, ${name}: `.padEnd(40)
        + `forms in ${formed} ms, one joins in ${joined} ms${ratio}`
    )
  }
}

export const run = (): void => {
  for (const size of [3, 12, 50, 1_000]) report(size, 256)
  report(6, 4_096)
}

if (import.meta.main) run()
