/**
 * Lists the rare paths that a batch of runs must have taken: those that the code marks as it takes
 * them, and those that only a whole history shows. A batch in which one was never taken has not
 * tested it.
 */
import type { Event, Record } from "./History.ts"
import { operationOf } from "./Plan.ts"

/** Marked where they are taken, by `Runtime.mark`. */
export const codeMarks: ReadonlyArray<string> = [
  "anti-entropy: a comparison finds rows that the disk has changed",
  "anti-entropy: a difference ends by itself",
  "anti-entropy: a difference is repaired",
  "anti-entropy: a document of another replica is joined",
  "anti-entropy: a scrub finds rows that the disk has changed",
  "anti-entropy: a node is filled with what a stand-in keeps",
  "anti-entropy: an empty partition is filled",
  "anti-entropy: an exchange ends early",
  "anti-entropy: hashes that do not fit their row are made anew",
  "anti-entropy: a version changes before it has come",
  "anti-entropy: versions change while they are compared",
  "coordinator: a failing disk refuses a write",
  "coordinator: a node refuses what is too much for it",
  "coordinator: a read that was given up is ended",
  "coordinator: a refused request goes to another primary",
  "coordinator: a removal has seen a counter too long ago",
  "coordinator: a removal that waits for lost dots ends",
  "coordinator: a repeated message is passed over",
  "coordinator: a request is forwarded again",
  "coordinator: a request that was forwarded is carried out here",
  "coordinator: a write cannot catch up",
  "coordinator: a write catches up with its context",
  "coordinator: a write goes on from a node that is down",
  "coordinator: a write has seen what is lost",
  "coordinator: an answer comes too late",
  "coordinator: an unanswered request is sent again",
  "coordinator: another node has taken a forwarded write over",
  "coordinator: three siblings are answered",
  "failure detector: a node answers through another",
  "failure detector: a node is pinged for another",
  "failure detector: a node is suspected",
  "failure detector: a suspect is believed down",
  "failure detector: a suspect is believed up again",
  "failure detector: a suspicion is refuted",
  "failure detector: others suspect this node",
  "formation: another store is named in place of the own",
  "formation: the own store is filled",
  "formation: the own store is named",
  "formation: the own store lost what it told",
  "gather: a node believed down is not asked again",
  "gather: there is no room to wait for slow replicas",
  "gossip: a former incarnation of this node is told of",
  "gossip: another node is told what it lacks",
  "hint: a document that was not confirmed is sent again",
  "hint: a node outside the list takes a write",
  "hint: a node that keeps too much refuses another one",
  "hint: many for one document are one",
  "hint: the document has changed since it was sent",
  "hint: the last one takes the copy with it",
  "hint: the target refuses the document",
  "in flight: a late sweep lets answers come first",
  "link: a frame for a former incarnation is refused",
  "link: a frame of a former incarnation is refused",
  "link: a frame of a stranger is refused",
  "link: a frame of another cluster is refused",
  "link: a frame of another version is refused",
  "link: a frame under another key is refused",
  "link: a frame without its MAC is refused",
  "link: a late frame of a former incarnation changes no address",
  "link: a repeated frame is refused",
  "link: a request of another ring is refused",
  "link: a torn frame is refused",
  "link: messages travel in parts",
  "link: missing parts are asked for",
  "link: missing parts are sent again",
  "link: the last part has come",
  "node: an incarnation begins ahead of the clock",
  "operations: a mark is stale",
  "operations: another node gives way",
  "operations: nobody can tell whether one was applied",
  "operations: one is taken over from the node that has done it",
  "operations: others are asked about an operation",
  "operations: the oldest is forgotten",
  "operations: this node gives way",
  "processes: another one runs under this id",
  "read: a damaged replica is repaired",
  "read: a late one asks the replicas that it spared",
  "read: a late answer is newer than the client's answer",
  "read: a replica is repaired by the changes that it lacks",
  "read: a replica sends what is not here",
  "read: a replica that has nothing is repaired",
  "read: a session has seen what is lost",
  "read: a stale replica is repaired",
  "read: another one holds what its session has seen",
  "read: changes come of a document that is not shown yet",
  "read: the own replica is repaired",
  "read: the replicas that it spared are needed",
  "read: the session has seen more than the replicas that answer",
  "read: too few answer",
  "replica: a birth after a damaged row",
  "replica: a birth because a row may be an old one",
  "replica: a change is joined on its base",
  "replica: a damaged row is mended by a join",
  "replica: a deferral ends",
  "replica: a document would become too large",
  "replica: a failing disk is tried again",
  "replica: a leaf tells that a row has its last dot",
  "replica: a read is shown the version before",
  "replica: a read waits for a commit",
  "replica: a read waits for what its session has seen",
  "replica: a removal is deferred",
  "replica: a retry is answered after a restart",
  "replica: a retry is answered from its operation id",
  "replica: a retry is answered that another node carried out",
  "replica: an incarnation ends with a failed commit",
  "replica: an incarnation ends with a lost row",
  "replica: one of two last writes is discarded",
  "replica: the base of a change is missing",
  "view: the own clock is set aside",
  "work: a turn ends before its work",
  "write: a large document is not shown",
  "write: a replica without the base gets the changes before it",
  "write: a replica without the base gets the document",
  "write: the document is on its way to a replica without the base",
  "write: done, though the own disk failed",
  "write: every replica refused it",
  "write: failed, and may have applied"
]

interface Path {
  readonly name: string
  readonly isIn: (record: Record) => boolean
}

const some = (name: string, is: (event: Event, record: Record) => boolean): Path => ({
  name: `history: ${name}`,
  isIn: (record) => record.events.some((event) => is(event, record))
})

const dotsOf = ({ operation }: Event, { applied }: Record): number =>
  applied.get(operation.id)?.dots.length ?? 0

const valuesIn = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : [value]

/** The last values of an operation's document, at any node. */
const inTheEnd = ({ operation: { bucket, key } }: Event, { final }: Record) => {
  const document = final.find((candidate) => candidate.bucket === bucket && candidate.key === key)
  return [...document?.shown.values() ?? []].flatMap((shown) =>
    typeof shown === "string" ? [] : valuesIn(shown.value)
  )
}

const isGone = (event: Event, record: Record): boolean =>
  event.operation.action.kind === "put" && event.outcome === "ok"
  && !inTheEnd(event, record).some((value) => operationOf(value) === event.operation.id)

/** Shown by the history of a run, from outside. */
const paths: ReadonlyArray<Path> = [
  some(
    "three siblings are shown",
    ({ operation, result }) => operation.bucket === "notes" && valuesIn(result?.value).length > 2
  ),
  some(
    "an operation sent again is acknowledged",
    ({ outcome, sendings }) => outcome === "ok" && sendings > 1
  ),
  some(
    "a write is acknowledged by a node that did not carry it out",
    ({ answeredBy, operation: { id }, outcome }, { makers }) =>
      outcome === "ok" && answeredBy !== undefined && makers.get(id)?.has(answeredBy) === false
  ),
  some(
    "nobody can tell whether a write was applied",
    ({ error }) => error?.startsWith("OperationUnknown") === true
  ),
  some(
    "a write is applied twice, as its client chose",
    ({ operation: { id }, timesMax }, { made }) => timesMax > 1 && (made.get(id)?.length ?? 0) > 1
  ),
  some(
    "a write that its user named is applied",
    ({ isNamed, outcome }) => isNamed && outcome === "ok"
  ),
  some(
    "an unknown outcome was success",
    (event, record) => event.outcome === "info" && dotsOf(event, record) > 0
  ),
  some(
    "an unknown outcome was failure",
    (event, record) => event.outcome === "info" && dotsOf(event, record) === 0
  ),
  some(
    "an acknowledged register is overwritten by one that had not seen it",
    (event, record) =>
      event.operation.bucket === "registers" && isGone(event, record)
      && record.events.some(({ operation, saw }) =>
        operation.bucket === "registers" && operation.key === event.operation.key
        && operation.action.kind === "put" && operation.id !== event.operation.id
        && operationOf(saw?.value) !== event.operation.id
      )
  ),
  some(
    "a write that only a damaged disk acknowledged is lost",
    (event, record) =>
      event.operation.bucket === "notes" && event.operation.consistency === "available"
      && record.damaged.size > 0 && isGone(event, record)
      && !record.events.some(({ operation, saw }) =>
        operation.key === event.operation.key
        && (operation.action.kind === "delete"
          || valuesIn(saw?.value).some((value) => operationOf(value) === event.operation.id))
      )
  ),
  some(
    "a document is empty in the end, though something was written",
    (event, record) =>
      event.outcome === "ok" && event.operation.action.kind === "add"
      && inTheEnd(event, record).every((value) => value === undefined)
  ),
  some(
    "a guarded read is refused rather than older",
    ({ error }) => error?.startsWith("ContextNotCovered") === true
  )
]

export const allMarks: ReadonlyArray<string> = [...codeMarks, ...paths.map(({ name }) => name)]

/** The paths that a whole history shows. */
export const marksOf = (record: Record): ReadonlyArray<string> =>
  paths.filter(({ isIn }) => isIn(record)).map(({ name }) => name)
