/**
 * Lists every limit, interval and size of nodes: unit, formula, reason, the value for a local
 * network, and presets. `EdgeLimits.ts` has those of clients, HTTP and admission, `NatsLimits.ts`
 * those of connections to brokers, `AnswerLimits.ts` those of answers in parts, `GrowthLimits.ts`
 * those of documents, `DeltaLimits.ts` those of changes between nodes, `ReadLimits.ts` those of
 * reads, `MembershipLimits.ts` those of the cluster's members, `AntiEntropyLimits.ts` those of the
 * comparison of replicas, `HandoffLimits.ts` those of hints, `DiskLimits.ts`, `MemoryLimits.ts` and
 * `WatchLimits.ts` those of a node's own. A room takes what it needs as options, so that a test can
 * make any of them tiny. Constants that a format or a join rests on stand beside it, since all
 * nodes must agree on them.
 *
 * @see hashicorp/memberlist:config.go, which lists its own in this way
 */
import {
  type ClientLimits,
  type HttpLimits,
  lanAdmission,
  lanClient,
  lanFrames,
  lanHttp,
  lanWork
} from "./EdgeLimits.ts"
import { type BrokerLimits, lanBroker, lanNats, type NatsLimits } from "./NatsLimits.ts"
import { lanAnswerParts } from "./AnswerLimits.ts"
import { lanAntiEntropy } from "./AntiEntropyLimits.ts"
import { lanDeltas } from "./DeltaLimits.ts"
import { lanDisk } from "./DiskLimits.ts"
import { lanGrowth } from "./GrowthLimits.ts"
import { lanHandoff } from "./HandoffLimits.ts"
import { lanLog } from "./LogLimits.ts"
import { lanMembership } from "./MembershipLimits.ts"
import { lanMemory } from "./MemoryLimits.ts"
import { lanReads } from "./ReadLimits.ts"

export type { BrokerLimits, ClientLimits, HttpLimits, NatsLimits }

const mebibyte = 2 ** 20

const lanNode = {
  ...lanGrowth,
  ...lanHandoff,
  ...lanMembership,
  ...lanDeltas,
  ...lanReads,
  ...lanDisk,
  ...lanLog,
  ...lanMemory,
  ...lanFrames,
  ...lanWork,
  ...lanAdmission,
  ...lanAnswerParts,
  ...lanAntiEntropy,
  /**
   * How far this node's clock may be from the median of its peers' before their median stamps its
   * writes. More than NTP leaves plus the longest pause of a process; raising it lets the last
   * write win by that much of a wrong clock.
   */
  skewMillis: 1_000,
  /**
   * How long a frame tells its sender's clock. Longer than delays and pauses last, since the best
   * frame of this time counts; at least twice greetMillis, or idle peers have no say. A peer that
   * is unreachable for longer has none.
   */
  clockWindowMillis: 30_000,
  /** Parts of that time which keep their best frame, 50 bytes for each and peer. */
  clockSamplesMax: 10,
  /**
   * How often a peer to which nothing else was sent gets an empty frame. Less than suspectMillis,
   * so that one lost answer makes no idle peer suspect; less costs more frames. Of more peers than
   * greetingsMax each gets one the less often.
   */
  greetMillis: 500,
  /**
   * Peers that are greeted at a time, the others at the next times. More than the peers of most
   * clusters; each costs a frame. With 4, a quiet node sends as much among 1,000 nodes as among 30:
   * 2.8 KB a second with pings and gossip (`test/bench/gossip.ts`).
   */
  greetingsMax: 4,
  /**
   * How long a starting node waits for another process under its id, where the broker says that one
   * listens. A few round trips: more delays starts after which the broker still believes in the
   * process that crashed.
   */
  probeMillis: 200,
  /** How often a running node looks for another process under its id: one message to itself. */
  processCheckMillis: 2_000,
  /**
   * How long a read waits for its quorum unless the request says. Raising it makes callers wait as
   * long for a node that is gone.
   */
  readTimeoutMillis: 1_000,
  /** The same for writes, which also wait for disks. */
  writeTimeoutMillis: 2_000,
  /**
   * Requests under way; more are refused, to be retried elsewhere. Requests a second times the
   * seconds one may take: 5000 times the 2 of writeTimeoutMillis. Each holds its document in
   * memory.
   */
  requestsMax: 10_000,
  /**
   * How long a stopping node lets requests under way finish. At least the longest timeout that
   * clients ask for, and less than the supervisor waits before it kills (30 s in Kubernetes).
   */
  drainTimeoutMillis: 10_000,
  /** How often a stopping node looks whether they have. A stop takes up to this much longer. */
  drainPollMillis: 10,
  /**
   * How long a node may leave a question unanswered before it is suspect. Several round trips plus
   * the longest sync of a disk: less suspects slow nodes, more sends to dead ones for longer.
   */
  suspectMillis: 1_000,
  /**
   * How long an answered request waits for slow replicas, to repair them. At least suspectMillis:
   * a replica that takes longer is unreachable, and gets what it lacks by a later read.
   */
  lateReplyMillis: 2_000,
  /**
   * Bytes of documents that such requests hold together; beyond it they stop waiting. Bytes read
   * and written a second times the seconds of lateReplyMillis: 64 MiB is 32 MiB/s.
   */
  lateReplyBytesMax: 64 * mebibyte,
  /**
   * How long a forwarded request is waited for beyond its timeout. A round trip and some: the
   * other node's answer "time is up" says more than ours.
   */
  forwardGraceMillis: 200,
  /**
   * Operations that a node remembers: those that it carried out, took over, forwarded or refused.
   * Operations a second times the seconds in which a client retries: 262,144 are 52 s at 5,000. Of
   * one that is forgotten a retry with a mark is told that nobody knows; one without a mark is
   * carried out again where no primary remembers it. Each takes 70 bytes of memory, and a start
   * reads 262,144 in 1.6 s of CPU time, as `test/bench/operations.ts` measures.
   */
  operationIdsMax: 262_144,
  /**
   * Forwarded requests of one peer that are told from their repeats, 8 bytes each. Forwards a
   * second times the seconds by which NATS may deliver one late; a later one counts as lost, and
   * is sent again.
   */
  forwardsSeenMax: 1_024,
  /** Keys in a page of a listing that names no limit. More makes each page hold up others. */
  pageKeys: 100,
  /**
   * The first pause before a request is sent again, while no round trip is measured. Longer than a
   * replica needs under load, so that what is sent again was mostly lost.
   */
  firstPauseMillis: 500,
  /**
   * The least pause before that, once round trips are measured (4 times their average). Above the
   * sync of a disk: less sends again what is only slow.
   */
  resendMinMillis: 100,
  /** The greatest. At most half of a timeout, or a lost message fails its request. */
  resendMaxMillis: 1_000,
  /** How often deadlines and pauses are looked at: both may end this much late. */
  sweepMillis: 20,
  /**
   * Bytes of messages at which a frame to a peer is closed, so that a turn's burst is no one giant
   * frame. Below the broker's max_payload; more delays what is first in it.
   */
  frameBytesTarget: 256 * 1024,
  /** Bytes of a new buffer for frames; it grows by doubling. A frame of an idle cluster fits. */
  frameBufferBytes: 4096,
  /** Bytes of buffers kept to be used again. Frames in a turn times frameBytesTarget. */
  spareBytesMax: 2 * mebibyte,
  /**
   * How long no part of a message comes before its missing parts are asked for. A few round trips;
   * a few of these fit into a request's timeout, since the question may be lost too.
   */
  partsPauseMillis: 50,
  /**
   * How often they are asked for in vain, after twice as long each time, before the parts are
   * given up: five times take 1.5 s, about as long as a request waits for its answer.
   */
  partsAsksMax: 5,
  /**
   * Messages that came whole within two of these pauses, 100 bytes each: late parts of them begin
   * nothing anew. Messages in parts a second times the pauses.
   */
  finishedRunsMax: 1_000,
  /**
   * Bytes of messages sent in parts and kept for those who miss some; beyond it the oldest are
   * sent again as a whole where their request is. Bytes sent in parts a second, times the seconds
   * of sentRunMillis.
   */
  sentRunsBytesMax: 32 * mebibyte,
  /** How long they are kept. As long as their receiver asks for them. */
  sentRunMillis: 2_000,
  /**
   * Bytes of memory for documents that are kept decoded. Hot documents times the memory of each,
   * 0.8 kB for a small one: raising it saves a read and a decoding for each that would miss.
   */
  cacheBytesMax: 64 * mebibyte,
  /**
   * How long a read waits for a commit of its document that is under way, before it shows the
   * version before. Several syncs of a disk: less shows older versions while the disk is busy, more
   * makes readers wait for a disk that stalls.
   */
  shownWaitMillis: 100,
  /**
   * Reads that wait so, 300 bytes each; beyond them a read shows the version before at once. Reads
   * a second, of documents being written, times the seconds for which the disk may stall.
   */
  shownWaitsMax: 10_000,
  /**
   * Documents whose removals are looked after at once: whether the dots that they wait for are
   * surely gone. One more is left to its next read. Each holds its document in memory.
   */
  deferralChecksMax: 16,
  /**
   * Documents of which memory has the last dot made here, 24 bytes each: 100 MB in all. Documents
   * written between two starts: each beyond costs a read and a row more whenever it is written.
   */
  lastIssuedDotsMax: 4_000_000,
  /** Rows that a listing reads at once. Few, since those of the next bucket are read in vain. */
  scanRows: 8,
  /** Partitions looked at in one go, so that a large empty ring does not stop the node. */
  scanPartitions: 1024,
  /**
   * Changes in one group of the storage. A larger one makes every change in it wait longer for its
   * sync; a smaller one shares each sync with fewer.
   */
  groupChangesMax: 256,
  /** Bytes in one group, for the same reason where documents are large. */
  groupBytesMax: 4 * mebibyte,
  /**
   * Groups given to the storage thread. With one, the next has all that came while it was
   * committed; with two, every other group is one of a few writes, which costs a sync of its own.
   */
  groupsInFlightMax: 1,
  /**
   * Of each buffer in which groups go to the storage thread, and which it gives back: more than
   * most groups take. A larger group gets a buffer of its own, which is memory made anew.
   */
  groupBufferBytes: 64 * 1024,
  /**
   * Changes accepted and not committed; beyond them writes are refused. Changes a second times the
   * seconds for which the disk may stall.
   */
  waitingChangesMax: 16_384,
  /**
   * Bytes of writes in memory that wait for the disk; beyond them writes are refused. Bytes
   * written a second times the seconds for which the disk may stall.
   */
  waitingBytesMax: 64 * mebibyte,
  /** The database file grows no further: writes are refused as on a full disk, reads go on. */
  storageBytesMax: 2 ** 43,
  /**
   * Documents whose damaged row was replaced, 200 bytes each; beyond it none is known to be whole,
   * and the node's votes no longer count. Bad rows between two replacements of a disk.
   */
  mendedDocumentsMax: 10_000,
  /** How often it is looked for what should not happen. An alarm is logged this much late. */
  alarmCheckMillis: 5_000
}

export interface NodeLimits extends Readonly<typeof lanNode> {}

export interface Preset {
  readonly node: NodeLimits
  readonly client: ClientLimits
  readonly http: HttpLimits
  readonly nats: NatsLimits
  readonly broker: BrokerLimits
}

/** Nodes on one network: round trips of a few milliseconds. */
export const lan: Preset = {
  node: lanNode,
  client: lanClient,
  http: lanHttp,
  nats: lanNats,
  broker: lanBroker
}

/** All nodes on one machine: quick to suspect and to stop, small buffers. */
export const development: Preset = {
  ...lan,
  node: {
    ...lanNode,
    requestsMax: 2_000,
    drainTimeoutMillis: 5_000,
    suspectMillis: 500,
    greetMillis: 250,
    lateReplyMillis: 1_000,
    lateReplyBytesMax: 16 * mebibyte,
    firstPauseMillis: 200,
    spareBytesMax: mebibyte,
    sentRunsBytesMax: 8 * mebibyte,
    reassemblyBytesMax: 16 * mebibyte,
    cacheBytesMax: 16 * mebibyte,
    waitingBytesMax: 16 * mebibyte
  },
  client: { ...lanClient, firstPauseMillis: 300, restMillis: 500 },
  broker: { ...lanBroker, waitingBytesMax: 16 * mebibyte }
}

/** Nodes far apart: round trips of up to 300 ms, of which a request may need several. */
export const wan: Preset = {
  ...lan,
  node: {
    ...lanNode,
    skewMillis: 2_000,
    readTimeoutMillis: 3_000,
    writeTimeoutMillis: 5_000,
    requestsMax: 25_000,
    drainTimeoutMillis: 15_000,
    suspectMillis: 3_000,
    greetMillis: 1_000,
    probeMillis: 1_000,
    lateReplyMillis: 5_000,
    lateReplyBytesMax: 160 * mebibyte,
    forwardGraceMillis: 600,
    firstPauseMillis: 1_200,
    resendMinMillis: 400,
    resendMaxMillis: 1_500,
    partsPauseMillis: 400,
    partsAsksMax: 3,
    sentRunMillis: 5_000,
    writeTargetMillis: 1_000
  },
  client: {
    ...lanClient,
    readTimeoutMillis: 7_000,
    writeTimeoutMillis: 10_000,
    graceMillis: 1_500,
    askTimeoutMillis: 7_000,
    firstPauseMillis: 1_500,
    resendMinMillis: 400,
    resendMaxMillis: 2_500,
    restMillis: 3_000,
    queueMillis: 200,
    answerTargetMillis: 1_000,
    noiseMillis: 20
  },
  nats: {
    ...lanNats,
    pingIntervalMillis: 2_000,
    connectTimeoutMillis: 5_000,
    flushTimeoutMillis: 5_000,
    drainTimeoutMillis: 5_000,
    waitingBytesMax: 24 * mebibyte
  }
}

export const presetNames = ["development", "lan", "wan"] as const

export type PresetName = typeof presetNames[number]
export const presets: Readonly<Record<PresetName, Preset>> = { development, lan, wan }
