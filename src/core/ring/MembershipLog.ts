/**
 * Keeps all entries about a cluster's membership that a node knows. Operators at nodes that cannot
 * reach each other may both add one, so the log is no list: each entry names all heads that its
 * author knew, and logs join by union. `Replay` derives the members and the ring from a log.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../codec/Json.ts"
import { invariant } from "../Invariant.ts"
import * as CanonicalJson from "../model/CanonicalJson.ts"
import type { NodeId } from "../model/Names.ts"
import {
  type EntryId,
  formation,
  isFormation,
  LogEntry,
  make,
  predecessorsMax
} from "./LogEntry.ts"
import { type Member, type MemberChange, stepMembership } from "./Membership.ts"
import { replay } from "./Replay.ts"

/**
 * Invariant: there is one formation, and the predecessors of every entry are here too.
 * Invariant: keys are the entries' ids, in order.
 */
export interface MembershipLog {
  readonly entries: ReadonlyMap<EntryId, LogEntry>
}

/** Beyond it no entry is added, and no log is read. */
export const entriesMax = 4096

/** Entries that cannot be in one log. */
export class UnjoinableLog extends Schema.TaggedError<UnjoinableLog>()("UnjoinableLog", {
  reason: Schema.String
}) {}

/** A change that may not be made now. */
export class RefusedChange extends Schema.TaggedError<RefusedChange>()("RefusedChange", {
  reason: Schema.String
}) {}

/** The log of a cluster that forms, the same at every node. */
export const form = (members: ReadonlyArray<Member>): MembershipLog => of([formation(members)])

const of = (entries: Iterable<LogEntry>): MembershipLog => {
  const ids = Array.from(entries, (entry) => [entry.id, entry] as const)
  return { entries: new Map(ids.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

/** The reason why these entries make no log; undefined where they do. */
const fault = (log: MembershipLog): string | undefined => {
  const { entries } = log
  if (entries.size > entriesMax) return `a log has at most ${entriesMax} entries`
  const formations = [...entries.values()].filter(isFormation).length
  if (formations !== 1) return `a cluster forms once, not ${formations} times`
  for (const { id, predecessors } of entries.values()) {
    const missing = predecessors.find((other) => !entries.has(other))
    if (missing !== undefined) return `${id} follows ${missing}, which is not there`
  }
  return undefined
}

/**
 * The entries of both.
 *
 * **Guarantees** commutative, associative and idempotent; `left` itself where `right` adds nothing.
 *
 * **Fails with** `UnjoinableLog` where they are of two clusters, or too many together.
 */
export const join = (
  left: MembershipLog,
  right: MembershipLog
): Result.Result<MembershipLog, UnjoinableLog> =>
  [...right.entries.keys()].every((id) => left.entries.has(id))
    ? Result.succeed(left)
    : checked(of(new Map([...left.entries, ...right.entries]).values()))

/**
 * The log with one entry more, or itself where it has that one.
 *
 * **Fails with** `UnjoinableLog` where the log lacks a predecessor of the entry.
 */
export const add = (
  log: MembershipLog,
  entry: LogEntry
): Result.Result<MembershipLog, UnjoinableLog> =>
  log.entries.has(entry.id)
    ? Result.succeed(log)
    : checked(of([...log.entries.values(), entry]))

const checked = (log: MembershipLog): Result.Result<MembershipLog, UnjoinableLog> => {
  const reason = fault(log)
  return reason === undefined ? Result.succeed(log) : Result.fail(new UnjoinableLog({ reason }))
}

/** The entries that no other follows, in order: one, unless changes were made apart. */
export const heads = ({ entries }: MembershipLog): ReadonlyArray<EntryId> => {
  const followed = new Set([...entries.values()].flatMap(({ predecessors }) => predecessors))
  return [...entries.keys()].filter((id) => !followed.has(id))
}

/** All that the author of an entry knew when it was made, and the entry. */
export const pastOf = (log: MembershipLog, id: EntryId): MembershipLog => {
  const past = new Map<EntryId, LogEntry>()
  const open = [id]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (past.has(next)) continue
    const entry = log.entries.get(next)
    invariant(entry !== undefined, "the log has every predecessor of its entries")
    past.set(next, entry)
    open.push(...entry.predecessors)
  }
  return of(past.values())
}

export interface Proposal {
  readonly changes: readonly [MemberChange, ...ReadonlyArray<MemberChange>]
  /** Whether every partition is with the owners that the log leads to. */
  readonly settled: boolean
}

/**
 * Why a change may not be made now; undefined where it may. A removal by force never waits, since
 * the node that holds up the change before may be the one to remove.
 */
export const refusal = (
  log: MembershipLog,
  { changes, settled }: Proposal
): string | undefined => {
  const ordinary = changes.some(({ _tag }) => _tag !== "Remove")
  const ends = heads(log).length
  if (ordinary && !settled) {
    return ends === 1
      ? "the last change is not settled yet"
      : `${ends} changes were made apart and are not settled yet`
  }
  if (log.entries.size >= entriesMax) return `a log has at most ${entriesMax} entries`
  if (ends > predecessorsMax) return `an entry follows at most ${predecessorsMax} others`
  return Result.match(stepMembership(replay(log).membership, changes), {
    onFailure: ({ reason }) => reason,
    onSuccess: () => undefined
  })
}

/**
 * The log with an entry of `author` after all others.
 *
 * **Fails with** `RefusedChange` where `refusal` says why.
 */
export const append = (
  log: MembershipLog,
  { author, ...proposal }: Proposal & { readonly author: NodeId }
): Result.Result<MembershipLog, RefusedChange> => {
  const reason = refusal(log, proposal)
  if (reason !== undefined) return Result.fail(new RefusedChange({ reason }))
  const entry = make({ author, predecessors: heads(log), changes: proposal.changes })
  return Result.succeed(of([...log.entries.values(), entry]))
}

const decodeEntries = Schema.decodeUnknownResult(
  Schema.Array(LogEntry).check(Schema.isMaxLength(entriesMax))
)
const encodeEntry = Schema.encodeSync(LogEntry)

/** The log as JSON, in one form only. */
export const encode = ({ entries }: MembershipLog): string => {
  const texts = Array.from(entries.values(), (entry) => CanonicalJson.encode(encodeEntry(entry)))
  return `[${texts.join(",")}]`
}

/** **Fails with** `UnjoinableLog` where the text is no log, or an id is not that of its entry. */
export const decode = (text: string): Result.Result<MembershipLog, UnjoinableLog> =>
  Result.mapError(
    decodeEntries(Json.read(text)),
    ({ message }) => new UnjoinableLog({ reason: message })
  ).pipe(Result.flatMap((entries) => checked(of(new Map(entries.map((e) => [e.id, e])).values()))))
