/**
 * Describes the members of a cluster, and steps from one set of members to the next. Being
 * unreachable is no change: only an operator changes ownership (Dynamo, section 4.8.1).
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NodeId } from "../model/Names.ts"

const label = Schema.String.check(
  Schema.isPattern(/^[!-~]{1,64}$/u, { expected: "1 to 64 printable ASCII characters, no space" })
)

/** Nodes that fail together: a rack, a hall, a region. */
export const Zone = label

/** A data centre. Node ids are unique over all sites. */
export const Site = label

/** How much a node holds compared with others. The bounds leave room for a disk's size in bytes. */
export const Weight = Schema.Finite.check(Schema.isBetween({ minimum: 1e-6, maximum: 1e15 }))

export const Member = Schema.Struct({
  id: NodeId,
  weight: Weight,
  /** A node without one is a zone of its own. */
  zone: Schema.optional(Zone),
  site: Schema.optional(Site)
})
export type Member = typeof Member.Type

export const MemberChange = Schema.Union([
  Schema.TaggedStruct("Join", { member: Member }),
  /** The node hands off all it holds, and is gone. */
  Schema.TaggedStruct("Leave", { id: NodeId }),
  /** The node is gone at once, a leaving one too: no node asks it or waits for it any more. */
  Schema.TaggedStruct("Remove", { id: NodeId }),
  /** `by` takes over every partition of `id`, at the same place in each list. */
  Schema.TaggedStruct("Replace", { id: NodeId, by: Member }),
  /** A new weight, zone or site for a member. */
  Schema.TaggedStruct("Adjust", { member: Member })
])
export type MemberChange = typeof MemberChange.Type

/** Changes that do not fit the members. None of them is applied. */
export class InvalidChange extends Schema.TaggedError<InvalidChange>()("InvalidChange", {
  reason: Schema.String
}) {}

export interface Membership {
  /** Ordered by id. */
  readonly members: ReadonlyArray<Member>
  /**
   * The nodes that left, were replaced or removed: an id never comes back, as old data would come
   * with it.
   */
  readonly departed: ReadonlySet<NodeId>
  /** Those of `departed` that were removed by force. */
  readonly removed: ReadonlySet<NodeId>
}

export const noMembers: Membership = { members: [], departed: new Set(), removed: new Set() }

/**
 * The members after `changes`, which take effect together, and the node that each replacement
 * replaced.
 *
 * **Fails with** `InvalidChange` where one of them does not fit.
 */
export const stepMembership = (
  before: Membership,
  changes: ReadonlyArray<MemberChange>
): Result.Result<
  { readonly after: Membership; readonly heirs: ReadonlyMap<NodeId, NodeId> },
  InvalidChange
> => {
  const members = new Map(before.members.map((member) => [member.id, member]))
  const departed = new Set(before.departed)
  const removed = new Set(before.removed)
  const heirs = new Map<NodeId, NodeId>()
  const changed = new Set<NodeId>()
  for (const change of changes) {
    for (const id of namedBy(change)) {
      const reason = misfit(change, { id, members, departed, removed, changed })
      if (reason !== undefined) return Result.fail(new InvalidChange({ reason }))
      changed.add(id)
    }
    const { adjusts, enters, leaves } = effectOf(change)
    if (leaves !== undefined) {
      members.delete(leaves)
      departed.add(leaves)
      if (enters !== undefined) heirs.set(leaves, enters.id)
    }
    if (change._tag === "Remove") removed.add(change.id)
    const present = enters ?? adjusts
    if (present !== undefined) members.set(present.id, present)
  }
  if (members.size === 0) {
    return Result.fail(new InvalidChange({ reason: "the last member cannot leave" }))
  }
  const after = { members: [...members.values()].sort(byId), departed, removed }
  return Result.succeed({ after, heirs })
}

/** The order of members. */
export const byId = (a: Member, b: Member): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** The nodes that a change is about. */
export const namedBy = (change: MemberChange): ReadonlyArray<NodeId> => {
  const { adjusts, enters, leaves } = effectOf(change)
  return [leaves, enters?.id, adjusts?.id].filter((id) => id !== undefined)
}

const effectOf = (change: MemberChange): {
  readonly leaves?: NodeId
  readonly enters?: Member
  readonly adjusts?: Member
} => {
  switch (change._tag) {
    case "Join":
      return { enters: change.member }
    case "Leave":
    case "Remove":
      return { leaves: change.id }
    case "Replace":
      return { leaves: change.id, enters: change.by }
    case "Adjust":
      return { adjusts: change.member }
  }
}

const misfit = (
  change: MemberChange,
  { changed, departed, id, members, removed }: {
    readonly id: NodeId
    readonly members: ReadonlyMap<NodeId, Member>
    readonly departed: ReadonlySet<NodeId>
    readonly removed: ReadonlySet<NodeId>
    readonly changed: ReadonlySet<NodeId>
  }
): string | undefined => {
  if (changed.has(id)) return `${id} is changed twice in one entry`
  if (effectOf(change).enters?.id === id) {
    if (members.has(id)) return `${id} is already a member`
    return departed.has(id) ? `${id} has left, and no id comes back` : undefined
  }
  if (members.has(id)) return undefined
  // A node may die during its ownership handoff: then it is removed.
  if (change._tag !== "Remove" || !departed.has(id)) return `${id} is not a member`
  return removed.has(id) ? `${id} is already removed` : undefined
}
