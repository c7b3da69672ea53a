/**
 * Records who belongs to the cluster: an ordered list of entries, each of which an operator agreed
 * to. Every node replays the same log and so comes to the same members and, through `Ring`, to the
 * same owners. Being unreachable is no entry: only an operator changes ownership (Dynamo, 4.8.1).
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NodeId } from "../model/Names.ts"

/** Whatever fails together: a rack, a hall, a region. */
export const Zone = Schema.String.check(
  Schema.isPattern(/^[!-~]{1,64}$/u, { expected: "1 to 64 printable ASCII characters, no space" })
)

/** How much a node holds compared with others. The bounds leave room for a disk's size in bytes. */
export const Weight = Schema.Finite.check(Schema.isBetween({ minimum: 1e-6, maximum: 1e15 }))

export const Member = Schema.Struct({
  id: NodeId,
  weight: Weight,
  /** A node without one is a zone of its own. */
  zone: Schema.optional(Zone)
})
export type Member = typeof Member.Type

export const MemberChange = Schema.Union([
  Schema.TaggedStruct("Join", { member: Member }),
  Schema.TaggedStruct("Leave", { id: NodeId }),
  /** `by` takes over every partition of `id`, at the same place in each list. */
  Schema.TaggedStruct("Replace", { id: NodeId, by: Member }),
  /** A new weight or zone for a member. */
  Schema.TaggedStruct("Adjust", { member: Member })
])
export type MemberChange = typeof MemberChange.Type

/** Changes that take effect together, so that no partition moves twice on their account. */
export const LogEntry = Schema.Struct({ changes: Schema.NonEmptyArray(MemberChange) })
export type LogEntry = typeof LogEntry.Type

/** An entry that does not fit what came before it. Nothing of it is applied. */
export class InvalidLogEntry extends Schema.TaggedError<InvalidLogEntry>()("InvalidLogEntry", {
  reason: Schema.String
}) {}

export interface Membership {
  /** Ordered by id. */
  readonly members: ReadonlyArray<Member>
  /** Who left or was replaced: an id never comes back, as old data would come with it. */
  readonly departed: ReadonlySet<NodeId>
}

export const noMembers: Membership = { members: [], departed: new Set() }

/** The entry that forms a cluster of `members`, the same in whatever order they are named. */
export const formation = (members: readonly [Member, ...ReadonlyArray<Member>]): LogEntry => {
  const [first, ...others] = members.toSorted(byId)
    .map((member) => ({ _tag: "Join" as const, member }))
  return { changes: [first!, ...others] }
}

/** The members after `entry`, and who took whose place. */
export const stepMembership = (
  before: Membership,
  entry: LogEntry
): Result.Result<
  { readonly after: Membership; readonly heirs: ReadonlyMap<NodeId, NodeId> },
  InvalidLogEntry
> => {
  const members = new Map(before.members.map((member) => [member.id, member]))
  const departed = new Set(before.departed)
  const heirs = new Map<NodeId, NodeId>()
  const changed = new Set<NodeId>()
  for (const change of entry.changes) {
    const { leaves, enters, adjusts } = effectOf(change)
    for (const id of [leaves, enters?.id, adjusts?.id]) {
      if (id === undefined) continue
      const reason = refusal({ id, isNew: id === enters?.id, members, departed, changed })
      if (reason !== undefined) return Result.fail(new InvalidLogEntry({ reason }))
      changed.add(id)
    }
    if (leaves !== undefined) {
      members.delete(leaves)
      departed.add(leaves)
      if (enters !== undefined) heirs.set(leaves, enters.id)
    }
    const present = enters ?? adjusts
    if (present !== undefined) members.set(present.id, present)
  }
  if (members.size === 0) {
    return Result.fail(new InvalidLogEntry({ reason: "the last member cannot leave" }))
  }
  const after = { members: [...members.values()].sort(byId), departed }
  return Result.succeed({ after, heirs })
}

const byId = (a: Member, b: Member): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const effectOf = (change: MemberChange): {
  readonly leaves?: NodeId
  readonly enters?: Member
  readonly adjusts?: Member
} => {
  switch (change._tag) {
    case "Join":
      return { enters: change.member }
    case "Leave":
      return { leaves: change.id }
    case "Replace":
      return { leaves: change.id, enters: change.by }
    case "Adjust":
      return { adjusts: change.member }
  }
}

const refusal = (options: {
  readonly id: NodeId
  readonly isNew: boolean
  readonly members: ReadonlyMap<NodeId, Member>
  readonly departed: ReadonlySet<NodeId>
  readonly changed: ReadonlySet<NodeId>
}): string | undefined => {
  const { id } = options
  if (options.changed.has(id)) return `${id} is changed twice in one entry`
  if (!options.isNew) return options.members.has(id) ? undefined : `${id} is not a member`
  if (options.members.has(id)) return `${id} is already a member`
  return options.departed.has(id) ? `${id} has left, and no id comes back` : undefined
}
