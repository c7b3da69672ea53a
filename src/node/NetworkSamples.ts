/**
 * Lists what a node counts of its broker, of the other nodes, and of the work that they bring.
 */
import type { Sample } from "../http/Metrics.ts"
import type { NodeCore } from "./NodeCore.ts"
import { anyIsAlarming, counter, gauge, harmless } from "./Samples.ts"

export const networkSamples = (core: NodeCore): ReadonlyArray<Sample> => [
  ...brokerSamples(core),
  ...frameSamples(core),
  ...partSamples(core),
  ...workSamples(core),
  ...memberSamples(core),
  ...watchSamples(core),
  ...processSamples(core)
]

const brokerSamples = ({ options: { transport } }: NodeCore): ReadonlyArray<Sample> => {
  const stats = transport.stats()
  return [
    gauge("nats_connected", transport.connected() ? 1 : 0, [
      "1 while connected to a broker.",
      "Alarming: 0."
    ]),
    counter("nats_reconnects", stats.reconnects, [
      "Connections made again after one broke.",
      "Alarming: more than a few a day."
    ]),
    counter("nats_messages_sent", stats.sentMessages, ["Messages published.", harmless]),
    counter("nats_bytes_sent", stats.sentBytes, ["Bytes published.", harmless]),
    counter("nats_messages_received", stats.receivedMessages, ["Messages received.", harmless]),
    counter("nats_bytes_received", stats.receivedBytes, ["Bytes received.", harmless]),
    counter("nats_messages_dropped", stats.droppedMessages, [
      "Messages that the connection did not take: there was none, or too much waited on it.",
      "Alarming: any while connected; the broker is slow."
    ]),
    counter("nats_answers_dropped", stats.droppedAnswers, [
      "Answers beyond the share of their client, which takes them too slowly.",
      "Alarming: a steady rate; find the client that reads too slowly."
    ]),
    gauge("nats_addresses_apart", stats.apartAddresses ?? 0, [
      "Clients with a large answer of late, whose answers take a connection of their own.",
      "Alarming: apartAddressesMax of them; the oldest share the other connection again."
    ])
  ]
}

const frameSamples = ({ link }: NodeCore): ReadonlyArray<Sample> => {
  const frames = link.stats()
  const refused = { ...frames.refused, abandoned: frames.abandonedRuns }
  return [
    counter("frames_sent", frames.framesSent, ["Frames to other nodes.", harmless]),
    counter("frame_messages_sent", frames.messagesSent, ["Messages in those frames.", harmless]),
    counter("frames_refused", { label: "reason", values: refused }, [
      "Frames of other nodes that were not taken.",
      "Alarming: otherKey, forged and notMember at all; the others at a steady rate."
    ]),
    counter("requests_of_other_rings", frames.otherRing, [
      "Requests of nodes that believe in another ring.",
      "Alarming: a steady rate; nodes are configured with different members."
    ]),
    gauge("frame_window_bytes", frames.windowBytes, [
      "Bytes by which frames of other nodes are known again.",
      harmless
    ])
  ]
}

const partSamples = ({ link }: NodeCore): ReadonlyArray<Sample> => {
  const { partBytes, partsAsked, partsResent } = link.stats()
  return [
    counter("parts_asked", partsAsked, [
      "Questions for the missing parts of long messages.",
      "Alarming: a steady rate; the broker drops messages."
    ]),
    counter("parts_resent", partsResent, [
      "Parts of long messages sent again because they were asked for.",
      "Alarming: a steady rate; the broker drops messages."
    ]),
    gauge("part_bytes", partBytes, [
      "Bytes of long messages that wait for parts, or for questions for parts.",
      harmless
    ])
  ]
}

const workSamples = (
  { guard, link, work: { stats: clients } }: NodeCore
): ReadonlyArray<Sample> => {
  const { work: nodes } = link.stats()
  return [
    counter("work_pauses", of(nodes.pauses, clients.pauses), [
      "Turns of the event loop that ended before the work of messages.",
      harmless
    ]),
    counter("work_refused", of(nodes.refused, clients.refused), [
      "Messages that were refused, since too many bytes waited.",
      anyIsAlarming
    ]),
    gauge("work_waiting", of(nodes.waiting, clients.waiting), [
      "Messages whose work waits for its next turn.",
      "Alarming: a number that grows."
    ]),
    counter("failures", { label: "where", values: Object.fromEntries(guard.counts) }, [
      "Messages, timers and commits that ended with an exception.",
      "Alarming: any; please report it as a fault of this program."
    ])
  ]
}

/** A number of the messages of nodes, and one of those of clients. */
const of = (nodes: number, clients: number) => ({ label: "of", values: { nodes, clients } })

const memberSamples = ({ formation, otherKeys, view }: NodeCore): ReadonlyArray<Sample> => {
  const { awaited, completeness, formed } = formation.status()
  const offsets = [...view.clocks.offsets()].map(([id, millis]) => [id, millis / 1_000] as const)
  const unreachable = view.members()
    .filter(({ id }) => id !== view.self)
    .map(({ id }) => [id, view.liveness.sinceHeardMillis(id) / 1_000] as const)
    .filter(([, seconds]) => Number.isFinite(seconds))
  return [
    gauge("peer_unreachable_seconds", {
      label: "node",
      values: Object.fromEntries(unreachable)
    }, [
      "Time since a peer was heard; absent where it never was, or where an answer is overdue.",
      "Alarming: above 10."
    ]),
    gauge("peers_suspect", view.liveness.suspects().length, [
      "Peers that are believed down.",
      "Alarming: above 0 for some minutes."
    ]),
    gauge("peer_clock_offset_seconds", { label: "node", values: Object.fromEntries(offsets) }, [
      "How far a peer's clock is ahead, as far as its frames show.",
      "Alarming: beyond 0.5 either way; last writes are ordered by clocks."
    ]),
    gauge("peers_with_other_key", otherKeys.present().length, [
      "Members whose last frame was refused because of another cluster key.",
      anyIsAlarming
    ]),
    gauge("formed", formed ? 1 : 0, [
      "1 once the cluster has formed, as this node knows.",
      "Alarming: 0 after the first start of all nodes."
    ]),
    gauge("complete", completeness === "complete" ? 1 : 0, [
      "1 while strict requests count this node, since it has all that it acknowledged.",
      "Alarming: 0 for some minutes; the node has lost data."
    ]),
    gauge("formation_awaited", awaited.length, [
      "Members whose answer this node's start awaits.",
      "Alarming: above 0 for some minutes."
    ])
  ]
}

const watchSamples = ({ memberWatch }: NodeCore): ReadonlyArray<Sample> => {
  const { downs, gossips, health, pings, refutations, suspicions } = memberWatch.stats()
  return [
    counter("gossip_messages", gossips, ["Messages of gossip that were sent.", harmless]),
    counter("pings", pings, ["Pings that were sent to see whether a node is up.", harmless]),
    counter("suspicions", suspicions, [
      "Suspicions that this node had because a ping brought no answer.",
      "Alarming: a steady rate; nodes or the broker are slow."
    ]),
    counter("refutations", refutations, [
      "Suspicions of this node by others that it refuted.",
      "Alarming: a steady rate; this node is slow, or its network."
    ]),
    counter("peers_believed_down", downs, [
      "Times that a suspicion was not refuted in its time.",
      "Alarming: more than nodes were stopped."
    ]),
    gauge("detector_health", health, [
      "By how many times this node waits longer for others because it was slow, less one.",
      "Alarming: above 0 for some minutes."
    ])
  ]
}

const processSamples = ({ processes }: NodeCore): ReadonlyArray<Sample> => [
  counter("other_processes", processes.met, [
    "Answers of other processes under this node's id.",
    "Alarming: any; two processes are configured as one node."
  ]),
  counter("process_frames_refused", { label: "reason", values: { ...processes.refusals } }, [
    "Messages of other processes under this node's id that were not taken.",
    anyIsAlarming
  ])
]
