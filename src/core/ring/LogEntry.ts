/**
 * Records one step of a cluster's membership, on which an operator decided. Its id is the hash of
 * all it says, the entries before it included, so that equal ids mean equal histories.
 */
import * as Hex from "effect/encoding/Hex"
import * as Schema from "effect/Schema"
import { md5 } from "../Hash.ts"
import { invariant } from "../Invariant.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"
import { NodeId } from "../model/Names.ts"
import { byId, type Member, MemberChange } from "./Membership.ts"

export const EntryId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{32}$/u, { expected: "32 hexadecimal digits" })
).pipe(Schema.brand("EntryId"))
export type EntryId = typeof EntryId.Type

/** How many changes one entry may make: as many members as a cluster may form with. */
export const changesMax = 4096
/** How many entries made apart one entry may follow. */
export const predecessorsMax = 64

const Content = Schema.Struct({
  /** The node at which the entry was made. A formation has none: every node makes the same. */
  author: Schema.optional(NodeId),
  /** All heads of the log that the author knew, in order. */
  predecessors: Schema.Array(EntryId).check(Schema.isMaxLength(predecessorsMax)),
  /** Changes that take effect together. */
  changes: Schema.NonEmptyArray(MemberChange).check(Schema.isMaxLength(changesMax))
})
type Content = typeof Content.Type

/** The number of the format behind the ids: a changed format gets another. */
const idFormat = 1

const idOf = ({ author, changes, predecessors }: Content): EntryId => {
  const text = CanonicalJson.encode([idFormat, author ?? null, predecessors, changes])
  return EntryId.make(Hex.encode(md5(text)))
}

const isAscending = (texts: ReadonlyArray<string>): boolean =>
  texts.every((text, index) => index === 0 || texts[index - 1]! < text)

const fault = (content: Content): string | undefined => {
  if (!isAscending(content.predecessors)) return "predecessors in order, each once"
  if (content.predecessors.length > 0) {
    return content.author === undefined ? "an author" : undefined
  }
  const ids = content.changes.flatMap((change) => change._tag === "Join" ? change.member.id : [])
  const forms = content.author === undefined && ids.length === content.changes.length
  return forms && isAscending(ids) ? undefined : "a formation: joins in order, without an author"
}

/**
 * An entry as it travels and rests. A decoded entry has the id of its content.
 *
 * Invariant: predecessors and the members of a formation are in order, each once.
 */
export const LogEntry = Schema.Struct({ id: EntryId, ...Content.fields }).check(
  Schema.makeFilter((entry) => {
    const expected = fault(entry)
    if (expected !== undefined) return `expected ${expected}`
    return entry.id === idOf(entry) ? undefined : "expected the id of the entry's content"
  })
)
export type LogEntry = typeof LogEntry.Type

/** **Requires** content that keeps the entry's invariant. */
export const make = (content: Content): LogEntry => {
  invariant(fault(content) === undefined, `an entry has ${fault(content)}`)
  return { id: idOf(content), ...content }
}

/** The entry that forms a cluster of `members`, the same in any order of the names. */
export const formation = (members: ReadonlyArray<Member>): LogEntry => {
  const [first, ...others] = members.toSorted(byId)
    .map((member) => ({ _tag: "Join" as const, member }))
  invariant(first !== undefined, "a cluster has members")
  return make({ predecessors: [], changes: [first, ...others] })
}

/** The first entry of a log, which no other precedes. */
export const isFormation = ({ predecessors }: LogEntry): boolean => predecessors.length === 0
