/**
 * Derives from a membership log which entries take effect, in which order, and which are void. It
 * depends on the set of entries alone, so that nodes with equal logs agree.
 *
 * Entries take effect after those that they follow, equals by id. One that does not fit the members
 * before it is void as a whole. So is one that names a node which an entry made apart from it lets
 * leave or removes: the operator who ended a node's membership did not see it, and whether the node
 * stays gone must not hang on the order of two hashes.
 */
import * as Result from "effect/Result"
import { invariant } from "../Invariant.ts"
import type { NodeId } from "../model/Names.ts"
import type { EntryId, LogEntry } from "./LogEntry.ts"
import {
  type MemberChange,
  type Membership,
  namedBy,
  noMembers,
  stepMembership
} from "./Membership.ts"

/** An entry without effect, and why: its author is to be told. */
export interface VoidEntry {
  readonly entry: LogEntry
  readonly reason: string
}

export interface Replayed {
  /** Those that take effect, in this order. */
  readonly applied: ReadonlyArray<LogEntry>
  readonly voided: ReadonlyArray<VoidEntry>
  readonly membership: Membership
}

interface Entries {
  readonly entries: ReadonlyMap<EntryId, LogEntry>
}

export const replay = (log: Entries): Replayed => {
  const order = orderOf(log)
  const overruled = overruledOf(order)
  const applied: Array<LogEntry> = []
  const voided: Array<VoidEntry> = []
  let membership = noMembers
  for (const entry of order) {
    const reason = overruled.get(entry.id)
    if (reason !== undefined) {
      voided.push({ entry, reason })
      continue
    }
    const stepped = stepMembership(membership, entry.changes)
    if (Result.isFailure(stepped)) voided.push({ entry, reason: stepped.failure.reason })
    else {
      applied.push(entry)
      membership = stepped.success.after
    }
  }
  return { applied, voided, membership }
}

/** Every entry after all those that it follows; of those that may come next, the least id. */
const orderOf = ({ entries }: Entries): ReadonlyArray<LogEntry> => {
  const lacking = new Map<EntryId, number>()
  const followers = new Map<EntryId, Array<LogEntry>>()
  for (const entry of entries.values()) {
    lacking.set(entry.id, entry.predecessors.length)
    for (const id of entry.predecessors) followers.set(id, [...followers.get(id) ?? [], entry])
  }
  const ready = [...entries.values()].filter(({ predecessors }) => predecessors.length === 0)
  const order: Array<LogEntry> = []
  while (ready.length > 0) {
    const next = ready.reduce((least, entry) => (entry.id < least.id ? entry : least))
    ready.splice(ready.indexOf(next), 1)
    order.push(next)
    for (const follower of followers.get(next.id) ?? []) {
      const left = lacking.get(follower.id)! - 1
      lacking.set(follower.id, left)
      if (left === 0) ready.push(follower)
    }
  }
  invariant(order.length === entries.size, "no entry follows itself, as ids are hashes")
  return order
}

/** The entries that lose to a departure made apart from them, with the reason. */
const overruledOf = (order: ReadonlyArray<LogEntry>): ReadonlyMap<EntryId, string> => {
  const overruled = new Map<EntryId, string>()
  const overrule = (loser: LogEntry, winner: LogEntry): void => {
    const ended = new Set(winner.changes.map(endedBy))
    const node = loser.changes.filter((change) => endedBy(change) === undefined)
      .flatMap(namedBy).find((id) => ended.has(id))
    if (node === undefined) return
    overruled.set(loser.id, `${node} left by ${winner.id}, which was made apart`)
  }
  for (const [entry, others] of apartBefore(order)) {
    for (const other of others) {
      overrule(entry, other)
      overrule(other, entry)
    }
  }
  return overruled
}

/** The node that a change sends away for good, without an heir. */
const endedBy = (change: MemberChange): NodeId | undefined =>
  change._tag === "Leave" || change._tag === "Remove" ? change.id : undefined

/** For each entry, those earlier in the order that it does not follow, even by way of others. */
const apartBefore = (
  order: ReadonlyArray<LogEntry>
): ReadonlyMap<LogEntry, ReadonlySet<LogEntry>> => {
  const positions = new Map(order.map(({ id }, position) => [id, position]))
  const apart = new Map<LogEntry, ReadonlySet<LogEntry>>()
  for (const [position, entry] of order.entries()) {
    const [first, ...others] = entry.predecessors.map((id) => positions.get(id)!)
    if (first === undefined) {
      apart.set(entry, new Set())
      continue
    }
    const unseenBy = (predecessor: number): ReadonlySet<LogEntry> =>
      new Set([...apart.get(order[predecessor]!)!, ...order.slice(predecessor + 1, position)])
    let unseen = unseenBy(first)
    for (const other of others) unseen = unseen.intersection(unseenBy(other))
    apart.set(entry, unseen)
  }
  return apart
}
