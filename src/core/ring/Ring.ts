/**
 * Answers which nodes own a partition and which stand in for them: one immutable value, the same on
 * every node that has replayed the same membership log (Dynamo, sections 4.2 and 4.3).
 */
import * as Result from "effect/Result"
import { ByteWriter } from "../codec/Bytes.ts"
import { digest64 } from "../Hash.ts"
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"
import { claim, type Owners } from "./Claim.ts"
import {
  type InvalidChange,
  type MemberChange,
  type Membership,
  noMembers,
  stepMembership
} from "./Membership.ts"
import { isPartitionCount } from "./Partition.ts"
import { rendezvousHash, seedOf } from "./RendezvousHash.ts"
import { zonesOf } from "./Zones.ts"

/** The numbers that are fixed for the lifetime of a cluster. */
export interface RingOptions {
  /** Q: a power of two from 1 to 65,536. */
  readonly partitionCount: number
  /** How many owners the claim gives a partition; a bucket's n may be less, or more. */
  readonly replicaCount: number
}

export const defaultReplicaCount = 3

/** Invariant: each partition has distinct owners, as many as `replicaCount` and members allow. */
export interface Ring extends RingOptions, Membership {
  /** By partition, in the order of the preference list. */
  readonly owners: Owners
  /** 16 hexadecimal digits, equal where Q, members and owners are. Carried in every message. */
  readonly digest: string
  /** The seed of each member in `rendezvousHash`. */
  readonly seeds: ReadonlyArray<number>
  /** The preference lists computed so far: no part of the value. */
  readonly preferenceLists: Map<number, ReadonlyArray<NodeId>>
}

/** The ring of an empty log: no node owns anything. */
export const empty = (options: RingOptions): Ring =>
  complete({
    ...options,
    ...noMembers,
    owners: Array.from({ length: options.partitionCount }, () => [])
  })

/** The ring after changes that take effect together, so that no partition moves twice for them. */
export const step = (
  ring: Ring,
  changes: ReadonlyArray<MemberChange>
): Result.Result<Ring, InvalidChange> =>
  Result.map(stepMembership(ring, changes), ({ after, heirs }) => {
    const { partitionCount, replicaCount } = ring
    const previous = ring.owners.map((list) => list.map((id) => heirs.get(id) ?? id))
    const owners = claim({ replicaCount, members: after.members, previous })
    return complete({ partitionCount, replicaCount, ...after, owners })
  })

/**
 * Every node, the owners first. Each fallback is from a zone that the list so far uses least, so
 * that a bucket with more replicas than the claim still spreads them; within that, in the
 * partition's own order (rendezvous hashing), so that all others share the load of a lost node.
 */
export const preferenceList = (ring: Ring, partition: number): ReadonlyArray<NodeId> => {
  const known = ring.preferenceLists.get(partition)
  if (known !== undefined) return known
  const owners = ring.owners[partition]
  invariant(owners !== undefined, `partition ${partition} is below ${ring.partitionCount}`)
  const found = [...owners, ...fallbacks(ring, { partition, owners })]
  ring.preferenceLists.set(partition, found)
  return found
}

const fallbacks = (
  ring: Ring,
  { owners, partition }: { readonly partition: number; readonly owners: ReadonlyArray<NodeId> }
): ReadonlyArray<NodeId> => {
  const zones = zonesOf(ring.members)
  const inList = new Map<number, number>()
  /** Counts `node` into its zone: the answer is how many of the zone come before it. */
  const enter = (node: number): number => {
    const before = inList.get(zones[node]!) ?? 0
    inList.set(zones[node]!, before + 1)
    return before
  }
  const others: Array<{ readonly node: number; readonly key: number }> = []
  for (const [node, { id }] of ring.members.entries()) {
    if (owners.includes(id)) enter(node)
    else others.push({ node, key: rendezvousHash({ seed: ring.seeds[node]!, partition }) })
  }
  return others
    .sort((a, b) => a.key - b.key || a.node - b.node)
    .map(({ node }) => ({ node, before: enter(node) }))
    .sort((a, b) => a.before - b.before)
    .map(({ node }) => ring.members[node]!.id)
}

const complete = (ring: RingOptions & Membership & { readonly owners: Owners }): Ring => {
  const ownerCount = Math.min(ring.replicaCount, ring.members.length)
  invariant(isPartitionCount(ring.partitionCount), "Q is a power of two from 1 to 65536")
  invariant(ring.replicaCount >= 1, "a partition has an owner")
  invariant(
    ring.owners.every((list) => list.length === ownerCount && new Set(list).size === ownerCount),
    "every partition has its number of distinct owners"
  )
  return {
    ...ring,
    digest: digest64(encode(ring)),
    seeds: ring.members.map(({ id }) => seedOf(id)),
    preferenceLists: new Map()
  }
}

/**
 * The canonical bytes behind the digest. A format: a change of it begins with another number. Sites
 * came with 2. A ring without any stays under 1, as nodes that know no sites have it.
 */
const encode = (ring: RingOptions & Membership & { readonly owners: Owners }): Uint8Array => {
  const hasSites = ring.members.some(({ site }) => site !== undefined)
  const writer = new ByteWriter().varint(hasSites ? 2 : 1)
    .varint(ring.partitionCount).varint(ring.replicaCount).varint(ring.members.length)
  for (const member of ring.members) {
    const weight = new DataView(new ArrayBuffer(8))
    weight.setFloat64(0, member.weight)
    writer.text(member.id).raw(new Uint8Array(weight.buffer)).text(member.zone ?? "")
    if (hasSites) writer.text(member.site ?? "")
  }
  const numbers = new Map(ring.members.map(({ id }, number) => [id, number]))
  for (const id of ring.owners.flat()) writer.varint(numbers.get(id)!)
  return writer.finish()
}
