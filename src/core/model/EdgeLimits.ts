/**
 * Lists every limit, interval and size of clients, HTTP, admission, turns, frames, the command line
 * and logs that name documents: unit, formula, reason, and the value for a local network.
 * `Limits.ts` has those of nodes, and the presets.
 */

import { lanAnswers } from "./AnswerLimits.ts"

const mebibyte = 2 ** 20

/** How much one message may ask of a node, and how its work is cut into turns. */
export const lanWork = {
  /**
   * Requests in one message of a client. A client closes a message at batchBytesTarget: 64 KiB hold
   * 3,600 of the shortest.
   */
  messageRequestsMax: 4_096,
  /**
   * Listings in one message, of which each looks through a page of keys on every node. A program
   * that exports a bucket needs one at a time.
   */
  messageListingsMax: 16,
  /** Operations of one edit. 1,000 in a set of 10,000 take a turn of 20 ms; at most `itemsMax`. */
  callsMax: 1_000,
  /** Contexts that one request brings, each opened by a MAC; at most `itemsMax`. */
  contextsMax: 1_000,
  /** Messages in one frame of another node. More than frameBytesTarget holds of the shortest. */
  frameMessagesMax: 65_536,
  /**
   * After how long work gives way to other events. A turn takes this and one step more: less costs
   * a turn, of some microseconds, more often.
   */
  turnMillis: 5,
  /** The same in steps, each of a few microseconds or more, for a clock that stands still. */
  turnStepsMax: 4_096,
  /**
   * Bytes of messages that wait for their turns, those of clients and those of nodes each; more are
   * refused. Bytes received a second, times the seconds in which a client gives up.
   */
  workBytesMax: 64 * mebibyte
}

/** How many requests a node takes while it has others: `core/admission` finds the number. */
export const lanAdmission = {
  /**
   * Requests that may be open whatever was measured. Enough for the disk to commit many together: a
   * node whose every write is slow takes no more than these.
   */
  admittedMin: 64,
  /** The same before anything was measured: a burst at the start is not refused. */
  admittedFirst: 256,
  /**
   * How long messages may wait on their way into the node, of a queue that stands: a write meets it
   * three times (request, answers of replicas, reply), which should take half of the time in which
   * callers want an answer. Less refuses where the machine is only uneven.
   */
  waitTargetMillis: 50,
  /**
   * How long a write may take while all do: the disk's sync, a round trip to another node and its
   * sync, and the waits above. Slower than this, fewer are taken, for a queue may be why. Where
   * fewer take as long, up to five times as long is allowed.
   */
  writeTargetMillis: 200,
  /** The number changes once in this time. A few waits: less follows noise, more follows late. */
  admissionWindowMillis: 100,
  /** Between two questions that measure the wait, while there is load. A fifth of the window. */
  waitProbeMillis: 20,
  /** Such questions under way. With 8 a wait of a second is measured 8 times a second. */
  waitProbesMax: 8
}

export const lanClient = {
  ...lanAnswers,
  /**
   * How long a read that names no timeout is waited for. Longer than the node's own, whose answer
   * "time is up" says who was unreachable.
   */
  readTimeoutMillis: 3_000,
  /** The same for writes; the node waits longer for these too. */
  writeTimeoutMillis: 5_000,
  /**
   * How long beyond any timeout. A round trip and some, above the node's own forwardGraceMillis:
   * the node's answer says more than ours.
   */
  graceMillis: 500,
  /** For what people ask of the cluster, such as its members; longer than a node waits itself. */
  askTimeoutMillis: 3_000,
  /**
   * The first pause before a request is sent again. A node answers within its own deadline, so no
   * answer for this long mostly means that one was lost.
   */
  firstPauseMillis: 600,
  /** Bounds of the later pauses, which follow the round trips: see the node's. */
  resendMinMillis: 100,
  resendMaxMillis: 1_000,
  sweepMillis: 20,
  /**
   * Bytes at which a message of requests to one node is closed, unless max_payload is lower. A
   * node reads a message whole before it begins: a larger one holds up what is first in it.
   */
  batchBytesTarget: 64 * 1024,
  /**
   * Between two questions to the nodes that is to be answered by any, while no answer comes: one
   * of them may hang. Some round trips; questions that keep every node at work wait longer.
   */
  askAgainMillis: 200,
  /**
   * The first pause before another node is asked for a page of keys or an explanation, doubled each
   * time. As long as a node waits for the others: an earlier copy costs as much as the first.
   */
  listAgainMillis: 1_000,
  /**
   * How often a node that is passed over is tried, with a copy of a request that changes nothing.
   * As long as it takes to start again: less costs more copies, more leaves it idle for longer.
   */
  restMillis: 1_000,
  /**
   * How long after a node's last answer a write goes to it under its mark at once. A write that a
   * node gets while it hangs is in doubt, so many milliseconds of writes at most; later the node
   * is asked for its mark first, a round trip more for clients with less than 20 answers of each
   * node a second.
   */
  markFreshMillis: 50,
  /**
   * How often a message goes to a node that does not answer before a write asks another node. With
   * one, each lost message costs that node questions to the others; with more, a write waits as
   * many pauses for a node that is gone.
   */
  sendingsPerNode: 2,
  /**
   * Messages made for one request, each for another node or with a newer mark; beyond it the
   * request fails. The nodes it may meet, and some refusals of an old mark; at most `triedMax`.
   */
  attemptsMax: 64,
  /**
   * Messages of one request that a node answers with a new mark before another node is asked. One
   * that asks for a mark, and one more for each time that the mark moves on meanwhile, which takes
   * as many other operations as a node remembers. Each is sent as soon as the one before is
   * answered, so a large number would keep a node busy that forgets fast. At least two.
   */
  staleMarksPerNode: 4,
  /** Nodes whose newest mark is remembered, 100 bytes each: at least those of the cluster. */
  marksMax: 1_000,
  /** A node is preferred that answers in less than half the time, by at least this much. */
  noiseMillis: 2,
  /**
   * Requests under way whatever was measured. Enough to keep three nodes busy between two answers;
   * with many clients their sum may be more than the nodes admit.
   */
  inFlightMin: 16,
  /** The same before anything was measured. As many as one node admits at first. */
  inFlightFirst: 256,
  /** The most. Each holds its request, and its answer in the end: 2 KB and the document. */
  inFlightMax: 10_000,
  /**
   * How long a request may wait here for its turn, or to be tried again, while a queue stands. With
   * four times answerTargetMillis it stays at 500 ms: more answers later, less uses nodes less
   * evenly, and leaves no time to ask a second one.
   */
  queueMillis: 100,
  /**
   * How long a request may wait otherwise, and how long a queue may last before it stands: a burst
   * of as many requests as the nodes answer in this time is worked off. As long, too, until a
   * request is told that it was not begun: callers often try again at once, and their waiting here
   * costs less than their next attempts.
   */
  refusalMillis: 1_000,
  /** Requests that wait so, 1 KB and the value each; more are refused in the next turn. */
  queuedMax: 100_000,
  /**
   * How long an answer may take while all do: two syncs that wait for another one each, and round
   * trips. The slowest of a hundred answers takes up to four times the usual one: more than 100 ms
   * exceeds 500 ms together with queueMillis, and less keeps too few under way for the disks to
   * commit together. Where fewer under way take as long, up to five times as long is allowed.
   */
  answerTargetMillis: 100,
  /** See the nodes': the waits are those of answers on their way into the client. */
  waitTargetMillis: 50,
  admissionWindowMillis: 100,
  waitProbeMillis: 20,
  waitProbesMax: 8,
  /**
   * Answers for which one request may be sent again. With few of them, what is sent again for lack
   * of an answer makes the next answers later. As in Finagle and gRPC.
   */
  answersPerRetry: 10,
  /** Requests sent again without that: those of a node that dies with them. */
  retriesMax: 500,
  /** Requests of one `many` under way at once: enough to fill a batch for each node. */
  manyMax: 256,
  /** How often each of them is tried where a node, or the client, has too much to do. */
  manyTriesMax: 16,
  /** Documents that one session remembers, 100 bytes each; beyond, a new session is asked for. */
  sessionDocumentsMax: 100_000
}

/** What a node keeps of the frames of other nodes. */
export const lanFrames = {
  /**
   * Bytes of messages in parts that wait for their other parts, with all that is noted about them;
   * beyond it the oldest are given up, and asked for again. The largest document times the peers
   * that send one at a time.
   */
  reassemblyBytesMax: 64 * mebibyte,
  /** Parts of one message; more are refused. The largest document over max_payload. */
  reassemblyPartsMax: 4096,
  /**
   * Numbers of each incarnation of a peer by which a frame is known that comes again, a bit each.
   * Frames a second of one peer times the seconds by which the network may reorder them: 4,096 are
   * 0.4 s at 10,000. An older frame counts as lost, and its messages are sent again.
   */
  frameWindow: 4_096,
  /**
   * Incarnations of each peer of which that is remembered, frameWindow / 8 and 200 bytes each. A
   * node's starts and failed commits while another runs: a frame of an earlier one, which somebody
   * recorded, is taken once more.
   */
  frameWindowsMax: 16
}

/** HTTP, whose clients are people's tools. Node's own defaults suit, but for those that differ. */
export const lanHttp = {
  /** Bytes of a body; a larger one is refused. As much as a message over NATS. */
  bodyBytesMax: mebibyte,
  /**
   * Bytes of a request's headers together; more are refused. Node's own default, and more than
   * most proxies pass on.
   */
  headersBytesMax: 16 * 1024,
  /**
   * Bytes of a context in a header of an answer; a larger one is left out, and the answer says so.
   * Half of headersBytesMax, so that the context fits when it comes back.
   */
  contextHeaderBytesMax: 8 * 1024,
  /** How long the list of buckets is believed: costs nothing, and nobody notices. */
  descriptionMillis: 1_000,
  /**
   * Connections. For one more, that which has waited for its client longest is closed; each holds
   * some 10 KB, and up to 64 KiB that wait to be read. Programs that need many connect over NATS.
   */
  connectionsMax: 1_000,
  /** Of them from one address, so that it leaves room to others. All, behind one proxy. */
  connectionsPerAddressMax: 800,
  /** Beyond them, where all are at work: for health and metrics, which a few programs ask for. */
  connectionsReservedMax: 32,
  /**
   * How long a client may keep the node waiting, for the rest of a body or until it takes an
   * answer, before it gives way to another where a bound is reached. Some round trips.
   */
  patienceMillis: 2_000,
  /** Bytes of the bodies of requests under way; more are refused. bodyBytesMax times 64. */
  bodiesBytesMax: 64 * mebibyte,
  /**
   * Buckets with paths of their own in the OpenAPI document, which take some 10 kB each, more with
   * many operations; the general paths take any bucket.
   */
  describedBucketsMax: 24,
  /**
   * The longest body that is dropped when nobody reads it, so that its connection stays; a longer
   * one costs more than a new connection.
   */
  droppedBytesMax: 256 * 1024,
  /** How long a body may pause. Some resends of TCP. */
  bodyStallMillis: 5_000,
  /**
   * Bytes of answers that clients have not taken; beyond it requests are refused. The largest
   * answer times 64; a request that is carried out meanwhile has its answer beside it.
   */
  answersBytesMax: 64 * mebibyte,
  /** How long a client may take over an answer: 1 MiB at 35 kB/s. */
  answerTimeoutMillis: 30_000,
  /** Pieces of one connection that are read in one turn: a few milliseconds at most. */
  piecesAtOnceMax: 64,
  /** Until the headers of a request are there: slow senders must not hold every connection. */
  headersTimeoutMillis: 10_000,
  /** Until its body is there too: bodyBytesMax at 35 kB/s. */
  requestTimeoutMillis: 30_000,
  /** How often these are looked at: each holds by that much longer. */
  connectionsCheckMillis: 1_000,
  /** How long an idle connection is kept. Longer than proxies keep theirs, or they meet a reset. */
  keepAliveMillis: 60_000,
  /** For requests under way at the end of the node, which has drained before. */
  goodbyeMillis: 1_000
}

/** The command line. */
export const commandLine = {
  /** The longest timeout that a request may ask for, as `schemas/ClientRequest.ts` says. */
  timeoutMaxMillis: 60_000,
  /** Documents that `ls --values` reads at the same time: enough that round trips overlap. */
  readsAtOnce: 16
}

/** The screen of `everwrite dev`. */
export const devScreen = {
  /** How often its figures are looked at: a line is printed where one of them changed. */
  figuresMillis: 1_000,
  /**
   * After how long without a frame a peer is shown as out of reach. Peers greet each other every
   * 250 ms; eight of these, so that a busy laptop does not seem to be cut off.
   */
  heardWithinMillis: 2_000,
  /**
   * How long after the last look another one is late and is left out: the process stood still, and
   * frames wait to be read. Half a second and a greeting less than `heardWithinMillis`.
   */
  lateLookMillis: 1_500
}

/** Log lines that name documents, so that a fault of many does not hide all others. */
export const lanReports = {
  /** Documents that one start names, 200 bytes each; the others are counted alone. */
  conflictsToldMax: 1_000,
  /** Time between two of them: a line a second is read, a thousand are not. */
  conflictPauseMillis: 1_000
}

export interface ReportLimits extends Readonly<typeof lanReports> {}

/** Measurements of requests. */
export const lanMetrics = {
  /**
   * Histograms by bucket, operation and outcome, at 15 lines each in the text of metrics; further
   * operations are counted together. 100 buckets with five operations and two outcomes fit.
   */
  seriesMax: 1_000,
  /** Between two messages to a collector of spans and metrics. */
  exportMillis: 5_000
}

/** A nats-server, as `everwrite nats-config` configures it. */
export const lanServer = {
  /** Bytes of the largest message; the server's own default. */
  maxPayload: mebibyte,
  /**
   * Bytes that a client may leave untaken before it is cut off; at least maxPayload, and what an
   * honest client is sent in the longest pause of its process. Its own default, 64 MiB, lets one
   * client that reads nothing slow down the nodes that answer it for as long as it takes to fill.
   */
  waitingBytesMax: 8 * mebibyte,
  /** How long it may take none of them. More than the longest pause of an honest client. */
  writeDeadlineMillis: 2_000
}

export interface ServerLimits extends Readonly<typeof lanServer> {}
export interface ClientLimits extends Readonly<typeof lanClient> {}
export interface HttpLimits extends Readonly<typeof lanHttp> {}
