/**
 * Says whether a node is ready for requests, and lists its counts for metrics.
 */
import type { Sample } from "../http/Metrics.ts"
import type { Health } from "../http/Inspection.ts"
import { edgeSamples, standingAlarms, storageFaults } from "./EdgeStatus.ts"
import type { NodeCore } from "./NodeCore.ts"

const counter = (name: string, value: Sample["value"], help: string): Sample => ({
  name: `${name}_total`,
  type: "counter",
  help,
  value
})

const gauge = (name: string, value: Sample["value"], help: string): Sample => ({
  name,
  type: "gauge",
  help,
  value
})

const requestSamples = ({ coordinator, requests }: NodeCore): ReadonlyArray<Sample> => {
  const counts = coordinator.counters()
  const admission = coordinator.admission()
  return [
    counter(
      "requests",
      {
        label: "kind",
        values: { read: counts.reads, write: counts.writes, forward: counts.forwards }
      },
      "Requests carried out here, or forwarded to a primary of the document."
    ),
    counter("request_failures", counts.failures, "Requests answered with an error."),
    counter("requests_refused", requests.refused(), "Messages refused as no request."),
    counter("reads_congested", requests.congested(), "Reads refused to slow NATS clients."),
    gauge("requests_under_way", coordinator.underWay(), "Requests not answered yet."),
    counter("overload_refusals", admission.refused, "Messages and requests that were too much."),
    gauge("requests_admitted", admission.limit, "Requests that may be under way."),
    gauge("wait_seconds", admission.waitMillis / 1000, "Wait of messages, where a queue stands."),
    gauge("late_bytes", coordinator.lateBytes(), "Kept for replicas that are late."),
    counter("read_repairs", counts.readRepairs, "Replicas brought up to date by a read."),
    counter("lost_told", counts.lostTold, "Sessions told that they had seen what is lost."),
    counter("dot_searches", counts.dotSearches, "Questions where dots are that a client has seen."),
    counter(
      "deferrals_ended",
      counts.deferralsEnded,
      "Removals that had waited for dots which are lost."
    ),
    counter("catch_ups", counts.catchUps, "Writes that first had to catch up with their context."),
    counter("siblings_seen", counts.siblingsSeen, "Answers of more than one sibling."),
    counter("resends", counts.resends, "Messages to replicas sent again."),
    counter("operation_inquiries", counts.inquiries, "Operations that others were asked about."),
    counter("operation_fences", counts.fences, "Operations that others were promised not to do."),
    counter(
      "operations_unknown",
      counts.unknownOperations,
      "Writes of which nobody could tell whether they had been applied."
    ),
    counter("stray_answers", counts.strayAnswers, "Answers that were late, repeated or unasked.")
  ]
}

const replicaSamples = ({ coordinator, replica, view }: NodeCore): ReadonlyArray<Sample> => {
  const stats = replica.stats()
  const discards = stats.discards + coordinator.counters().discards
  return [
    counter("updates", stats.updates, "Operations applied to documents here."),
    counter("retries", stats.retries, "Operations that had been applied already."),
    gauge("operations_kept", replica.operations.kept, "Operations that are remembered."),
    counter("operations_evicted", replica.operations.evicted, "Operations that were forgotten."),
    counter(
      "documents_large",
      stats.largeDocuments,
      "Writes that left their document beyond half of a limit."
    ),
    counter(
      "documents_too_large",
      { label: "limit", values: stats.growthRefused },
      "Writes refused because of a limit of their document."
    ),
    counter("joins", stats.joins, "Documents of other replicas joined here."),
    counter(
      "births",
      stats.births,
      "Actors begun for documents without a row of this incarnation."
    ),
    gauge("last_dots", stats.lastDots, "Documents of which memory has the last dot made here."),
    gauge("cached_documents", stats.cachedDocuments, "Documents kept decoded."),
    gauge("cached_bytes", stats.cachedBytes, "Memory that they take."),
    counter("leaf_reads", stats.leafReads, "Writes for which a leaf on disk told the last dot."),
    counter("discards", discards, "Concurrent last writes of which one was lost here."),
    counter("divergences", stats.divergences, "Equal contexts found with unequal states."),
    counter("conflicting_dots", stats.conflicts, "Dots found with another content elsewhere."),
    counter(
      "incarnations_ended",
      stats.incarnationsEnded,
      "Incarnations ended by a failed commit, or by a row that was lost."
    ),
    counter("reads_delayed", stats.readsDelayed, "Reads that waited for a commit."),
    counter(
      "reads_of_version_before",
      stats.readsOfVersionBefore,
      "Reads shown an older version, since the commit of the newest took too long."
    ),
    gauge("reads_waiting", stats.readsWaiting, "Reads that wait for a commit now."),
    counter("clock_clamps", view.clockClamps(), "Stamps taken from the peers' clocks instead.")
  ]
}

const storageSamples = ({ options: { storage } }: NodeCore): ReadonlyArray<Sample> => {
  const stats = storage.stats()
  return [
    counter("commits", stats.groups, "Groups of changes committed and synced."),
    counter("commit_failures", stats.failures, "Commits that the disk refused."),
    counter("changes", stats.changes, "Changes committed."),
    counter("bytes_committed", stats.bytes, "Bytes of changes and rows committed."),
    counter("damaged_rows", stats.damaged, "Reads that found damage."),
    gauge("changes_waiting", stats.waiting, "Changes accepted and not committed yet."),
    gauge("writable", storage.healthy() ? 1 : 0, "1 while the disk takes writes.")
  ]
}

const formationSamples = (
  { formation, replica }: NodeCore
): ReadonlyArray<Sample> => {
  const { awaited, completeness, formed } = formation.status()
  return [
    gauge("formed", formed ? 1 : 0, "1 once the cluster has formed, as this node knows."),
    gauge("complete", completeness === "complete" ? 1 : 0, "1 while strict requests count it."),
    gauge("formation_awaited", awaited.length, "Members whose answer this node's start awaits."),
    gauge("mended_documents", replica.mended.size, "Documents whose damaged row was replaced.")
  ]
}

const networkSamples = (core: NodeCore): ReadonlyArray<Sample> => {
  const { link, options: { transport }, view } = core
  const stats = transport.stats()
  const frames = link.stats()
  const unreachable = view.members()
    .filter(({ id }) => id !== view.self)
    .map(({ id }) => [id, view.liveness.sinceHeardMillis(id) / 1000] as const)
    .filter(([, seconds]) => Number.isFinite(seconds))
  return [
    gauge("nats_connected", transport.connected() ? 1 : 0, "1 while connected to a broker."),
    counter("nats_reconnects", stats.reconnects, "Connections made again after one broke."),
    counter("nats_messages_sent", stats.sentMessages, "Messages published."),
    counter("nats_bytes_sent", stats.sentBytes, "Bytes published."),
    counter("nats_messages_received", stats.receivedMessages, "Messages received."),
    counter("nats_bytes_received", stats.receivedBytes, "Bytes received."),
    counter("nats_messages_dropped", stats.droppedMessages, "Messages that NATS did not take."),
    counter("nats_answers_dropped", stats.droppedAnswers, "Answers beyond their clients' shares."),
    counter("frames_sent", frames.framesSent, "Frames to other nodes."),
    counter("frame_messages_sent", frames.messagesSent, "Messages in those frames."),
    counter(
      "frames_refused",
      {
        label: "reason",
        values: {
          ...frames.refused,
          abandoned: frames.abandonedRuns
        }
      },
      "Frames of other nodes that were not taken."
    ),
    counter("requests_of_other_rings", frames.otherRing, "Nodes' requests under another ring."),
    counter(
      "work_pauses",
      { label: "of", values: { nodes: frames.work.pauses, clients: core.work.stats.pauses } },
      "Turns that ended before the work of messages."
    ),
    counter(
      "work_refused",
      { label: "of", values: { nodes: frames.work.refused, clients: core.work.stats.refused } },
      "Messages that were refused, since too many bytes waited."
    ),
    gauge(
      "work_waiting",
      { label: "of", values: { nodes: frames.work.waiting, clients: core.work.stats.waiting } },
      "Messages whose work waits for its next turn."
    ),
    counter(
      "failures",
      { label: "where", values: Object.fromEntries(core.guard.counts) },
      "Messages, timers and commits that ended with an exception."
    ),
    gauge(
      "peer_unreachable_seconds",
      { label: "node", values: Object.fromEntries(unreachable) },
      "Time since a peer was heard; absent where it never was, or where an answer is overdue."
    ),
    ...edgeSamples(core),
    gauge("peers_suspect", view.liveness.suspects().length, "Peers that are believed down.")
  ]
}

export const healthOf = (core: NodeCore, isStopping: () => boolean): Health => ({
  alarms: () => standingAlarms(core),
  notReady: () => [
    ...isStopping() ? ["the node is stopping"] : [],
    ...core.processes.superseded === undefined ? [] : ["another process runs under this node's id"],
    ...storageFaults(core),
    ...core.options.transport.connected() ? [] : ["there is no connection to NATS"]
  ]
})

export const samplesOf = (
  core: NodeCore,
  marks: ReadonlyMap<string, number>
): ReadonlyArray<Sample> => [
  ...requestSamples(core),
  ...replicaSamples(core),
  ...storageSamples(core),
  ...formationSamples(core),
  ...networkSamples(core),
  counter(
    "rare_paths",
    { label: "path", values: Object.fromEntries(marks) },
    "Paths that are seldom taken."
  )
]
