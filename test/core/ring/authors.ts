/**
 * Makes membership logs as they come about: several authors, each of whom knows some of the log,
 * add entries, and hear of each other's now and then.
 */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import type { LogEntry } from "../../../src/core/ring/LogEntry.ts"
import type { Member, MemberChange } from "../../../src/core/ring/Membership.ts"
import * as MembershipLog from "../../../src/core/ring/MembershipLog.ts"
import { replay } from "../../../src/core/ring/Replay.ts"
import { member, nodeId } from "./clusters.ts"

type Log = MembershipLog.MembershipLog

export const authorCount = 3

const act = fc.record({
  author: fc.nat(authorCount - 1),
  kind: fc.constantFrom("Join", "Leave", "Remove", "Replace", "Adjust", "Hear", "Hear"),
  /** Which author is heard, which node is meant, which one is new: few, so that they collide. */
  other: fc.nat(authorCount - 1),
  pick: fc.nat(7),
  fresh: fc.nat(4)
})
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never

export const acts = fc.array(act, { maxLength: 14 })

/** The members that every log begins with. */
export const first: ReadonlyArray<Member> = ["n1", "n2", "n3", "n4"].map((name) => member(name))

export const formed = MembershipLog.form(first)

export const joined = (...logs: ReadonlyArray<Log>): Log =>
  logs.reduce((all, log) => Result.getOrThrow(MembershipLog.join(all, log)), formed)

/** The log with one change more, made at n1 unless said otherwise. */
export const append = (log: Log, change: MemberChange, author = "n1"): Log =>
  Result.getOrThrow(
    MembershipLog.append(log, { author: nodeId(author), changes: [change], settled: true })
  )

const changeOf = ({ fresh, kind, pick }: Act, log: Log): MemberChange | undefined => {
  const { departed, members } = replay(log).membership
  const picked = members[pick % members.length]!
  const newcomer = member(`m${fresh}`)
  switch (kind) {
    case "Join":
      return { _tag: "Join", member: newcomer }
    case "Leave":
      return { _tag: "Leave", id: picked.id }
    case "Remove": {
      const gone = [...departed, ...members.map(({ id }) => id)]
      return { _tag: "Remove", id: gone[pick % gone.length]! }
    }
    case "Replace":
      return { _tag: "Replace", id: picked.id, by: newcomer }
    case "Adjust":
      return { _tag: "Adjust", member: { ...picked, weight: fresh + 2 } }
    default:
      return undefined
  }
}

/** The log of each author in the end. Acts that an author's log refuses are left out. */
export const logsOf = (done: ReadonlyArray<Act>): ReadonlyArray<Log> => {
  const logs = Array.from({ length: authorCount }, () => formed)
  for (const one of done) {
    const log = logs[one.author]!
    const change = changeOf(one, log)
    if (change === undefined) logs[one.author] = joined(log, logs[one.other]!)
    else {
      const author = first[one.author]!.id
      const next = MembershipLog.append(log, { author, changes: [change], settled: true })
      logs[one.author] = Result.getOrElse(next, () => log)
    }
  }
  return logs
}

/** The entries of a log, each after those that it follows. */
export const entriesOf = (log: Log): ReadonlyArray<LogEntry> => {
  const left = new Map(log.entries)
  const order: Array<LogEntry> = []
  while (left.size > 0) {
    for (const [id, entry] of left) {
      if (entry.predecessors.some((other) => left.has(other))) continue
      order.push(entry)
      left.delete(id)
    }
  }
  return order
}

/** Whether neither of two entries follows the other. */
export const areApart = (log: Log, a: LogEntry, b: LogEntry): boolean =>
  !MembershipLog.pastOf(log, a.id).entries.has(b.id)
  && !MembershipLog.pastOf(log, b.id).entries.has(a.id)
