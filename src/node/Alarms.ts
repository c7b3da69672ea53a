/**
 * Warns the operator of a trouble when it comes, and again when it has ended and comes again. Its
 * further occurrences are counted and not logged: a fault that repeats a thousand times a second
 * would hide all others.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { WatchLimits } from "../core/model/WatchLimits.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { GateRefusals } from "../transport/FrameGate.ts"
import { noAnswerOf, orphanedIn, orphanedText, unreachablePeers } from "./EdgeStatus.ts"
import type { NodeCore } from "./NodeCore.ts"

export interface Alarm {
  readonly name: string
  /** Rises with each occurrence; 0 again where the trouble is known to have ended. */
  readonly count: () => number
  /** The trouble lasts until its count is 0, however long that does not rise. */
  readonly lasts?: true
  /** Told when it has ended; unless given, a sentence that names it. */
  readonly ended?: string
  readonly says: string
  /** Stands beside it in the log. */
  readonly about?: () => Readonly<Record<string, string | number>>
}

const isLossy = ({ formation }: NodeCore): boolean => {
  const { own } = formation.status()
  return own === "unnamed" || own === "amnesiac"
}

const completenessAlarms = (core: NodeCore): ReadonlyArray<Alarm> => [
  {
    name: "incomplete",
    lasts: true,
    count: () => isLossy(core) ? 1 : 0,
    says: "this store was wiped, is new, lost what it had told other nodes is durable, or lost the "
      + "row that says it has not; what it does not have is not believed to be absent, and strict "
      + "requests do not count it"
  },
  {
    name: "orphaned",
    lasts: true,
    count: () => orphanedIn(core),
    says: orphanedText
  },
  {
    name: "told",
    lasts: true,
    count: () => core.told.hasGap ? 1 : 0,
    says:
      "the row with the positions of other nodes' stores cannot be read; a node that starts and "
      + "has told this one nothing since then is complete only by an operator's word (--form)"
  },
  {
    name: "mended",
    count: () => core.replica.mended.size + Number(core.replica.mended.isFull),
    says: "damaged rows were replaced by later writes; strict requests do not count this node for "
      + "these documents"
  }
]

const growthAlarm = ({ replica }: NodeCore): Alarm => ({
  name: "growth",
  count: () => replica.stats().largeDocuments,
  says: "a document is beyond half of a limit, at which its writes are refused",
  about: () => {
    const { first } = replica.growth
    if (first === undefined) return {}
    const { allowed, had, key: { bucket, partitionKey, sortKey }, limit } = first
    return { bucket, key: partitionKey, sortKey, limit, had, allowed }
  }
})

const storeAlarm = ({ options: { storage } }: NodeCore): Alarm => ({
  name: "store",
  lasts: true,
  count: () => storage.fault?.() === undefined ? 0 : 1,
  says: "this node takes no writes, and cannot while it runs: replace or rebuild it",
  about: () => ({ fault: storage.fault?.() ?? "" })
})

const failureAlarm = ({ guard }: NodeCore): Alarm => ({
  name: "failure",
  count: () => guard.count,
  says: "a message, a timer or a commit ended with an exception, which the log has with its place; "
    + "this is a fault of the program, or of data that it stored"
})

/** The counts that are watched. */
export const alarmsOf = (core: NodeCore): ReadonlyArray<Alarm> => {
  const { link, replica, requests, view } = core
  const { storage, transport } = core.options
  const refused = () => link.stats().refused
  return [
    ...edgeAlarms(core),
    ...peerAlarms(core),
    {
      name: "clock",
      count: () => view.clockClamps(),
      says: "this node's clock is too far from its peers'; their median stamps its writes"
    },
    {
      name: "divergence",
      count: () => replica.stats().divergences,
      says: "two replicas had seen the same and held something else; they were joined"
    },
    {
      name: "conflict",
      count: () => replica.stats().conflicts,
      says: "one dot has different contents on two replicas: bytes changed on their way or on a "
        + "disk, or two nodes made it; every replica takes the greater content"
    },
    {
      name: "incarnation",
      count: () => replica.stats().incarnationsEnded,
      says: "a commit failed after its write was sent; the node goes on as a new incarnation"
    },
    {
      name: "damage",
      count: () => storage.stats().damaged + replica.stats().damaged,
      says: "stored rows are damaged; they count as missing and are repaired from other replicas"
    },
    failureAlarm(core),
    ...completenessAlarms(core),
    growthAlarm(core),
    storeAlarm(core),
    {
      name: "commit",
      count: () => storage.stats().failures,
      says: "the disk refused a commit; the writes in it were not acknowledged"
    },
    {
      name: "malformed",
      count: () => refused().malformed,
      says: "a node of this cluster sends frames that cannot be read; it may be of another version"
    },
    ...frameAlarms(core),
    {
      name: "cluster",
      count: () => refused().otherCluster,
      says: "a node of another cluster, or with another partitionCount, sends here"
    },
    {
      name: "ring",
      count: () => link.stats().otherRing,
      says: "a node with another list of members sends here; set `members` alike everywhere"
    },
    {
      name: "request",
      count: () => requests.refused(),
      says: "messages arrived on request subjects that are no requests"
    },
    {
      name: "dropped",
      count: () => transport.stats().droppedMessages,
      says: "messages to NATS were dropped: no connection, or more than it takes"
    }
  ]
}

/** Of frames that are not believed. Anybody who reaches the broker can cause them. */
const frameAlarms = ({ link, processes }: NodeCore): ReadonlyArray<Alarm> => {
  const count = (reason: keyof GateRefusals) => () =>
    link.stats().refused[reason] + processes.refusals[reason]
  return [
    {
      name: "forged",
      count: count("forged"),
      says: "frames arrived that were damaged on their way, or made without the cluster's key; "
        + "nothing of them was taken"
    },
    {
      name: "version",
      count: count("otherVersion"),
      says: "frames of another version arrived, or none at all; nothing of them was taken"
    },
    {
      name: "stranger",
      count: count("notMember"),
      says: "a node that is no member sends here; set `members` alike everywhere"
    }
  ]
}

/** Of other processes under this node's id, and one for each member with another cluster key. */
const edgeAlarms = ({ options, otherKeys, processes, view }: NodeCore): ReadonlyArray<Alarm> => [
  {
    name: "process",
    count: () => processes.met,
    says: "another process runs under this node's id; one of the two stops"
  },
  ...view.members().map(({ id }) => ({
    name: "key",
    lasts: true as const,
    count: () => otherKeys.present().includes(id) ? otherKeys.count(id) : 0,
    says: id === options.node
      ? "another process under this node's id has another cluster key"
      : `node ${id} has another cluster key; each refuses the other's frames`
  }))
]

/** Of the members from which nothing comes: each is told once, and its return. */
const peerAlarms = (core: NodeCore): ReadonlyArray<Alarm> =>
  core.view.members().filter(({ id }) => id !== core.view.self).map(({ id }) => ({
    name: "peer",
    lasts: true,
    count: () => unreachablePeers(core).includes(id) ? 1 : 0,
    says: noAnswerOf(id),
    ended: `node ${id} answers again`
  }))

/** Of the rights that the broker refuses this node. */
export const rightsAlarm = (missing: () => ReadonlyArray<string>): Alarm => ({
  name: "rights",
  lasts: true,
  count: () => missing().length,
  says: "the NATS broker does not let this node do what it must; it is not ready",
  about: () => ({ missing: missing().join("; ") })
})

/** What is known of an alarm. */
interface Watched {
  readonly alarm: Alarm
  count: number
  /** Undefined while there is no trouble. */
  roseAt: number | undefined
}

const tell = ({ about, name, says }: Alarm, count: number): Effect.Effect<void> =>
  Effect.logWarning(says).pipe(Effect.annotateLogs({ ...about?.(), alarm: name, count }))

/** Checks until interrupted. */
export const watch = (
  alarms: ReadonlyArray<Alarm>,
  { alarmCheckMillis, alarmQuietMillis }:
    & Pick<NodeLimits, "alarmCheckMillis">
    & Pick<WatchLimits, "alarmQuietMillis">
): Effect.Effect<never> => {
  const all = alarms.map((alarm): Watched => ({ alarm, count: 0, roseAt: undefined }))
  const check = Effect.fnUntraced(function*(watched: Watched) {
    const { alarm, count: before, roseAt } = watched
    const now = yield* Clock.currentTimeMillis
    const count = alarm.count()
    watched.count = count
    if (count > before) {
      watched.roseAt = now
      if (roseAt === undefined) yield* tell(alarm, count)
    } else if (roseAt !== undefined && count === 0) {
      watched.roseAt = undefined
      yield* Effect.logInfo(alarm.ended ?? `this has ended: ${alarm.says}`).pipe(
        Effect.annotateLogs({ alarm: alarm.name })
      )
    } else if (roseAt !== undefined && alarm.lasts !== true && now - roseAt > alarmQuietMillis) {
      watched.roseAt = undefined
    }
  })
  return Effect.forever(
    Effect.andThen(Effect.sleep(alarmCheckMillis), Effect.forEach(all, check, { discard: true }))
  )
}
