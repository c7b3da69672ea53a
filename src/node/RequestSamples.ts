/**
 * Lists what a node counts of clients' requests.
 */
import type { Sample } from "../http/Metrics.ts"
import type { NodeCore } from "./NodeCore.ts"
import { anyIsAlarming, counter, gauge, harmless } from "./Samples.ts"

export const requestSamples = (core: NodeCore): ReadonlyArray<Sample> => [
  ...flowSamples(core),
  ...admissionSamples(core),
  ...versionSamples(core),
  ...operationSamples(core)
]

const flowSamples = ({ coordinator, requests }: NodeCore): ReadonlyArray<Sample> => {
  const counts = coordinator.counters()
  const { forwards, reads, writes } = counts
  return [
    counter("requests", {
      label: "kind",
      values: { read: reads, write: writes, forward: forwards }
    }, [
      "Requests carried out here, or forwarded to a primary of the document.",
      harmless
    ]),
    counter("request_failures", counts.failures, [
      "Requests answered with an error.",
      "Alarming: more than 1 % of all requests over some minutes; request_seconds has the outcomes."
    ]),
    counter("requests_refused", requests.refused(), [
      "Messages refused as no request.",
      "Alarming: a steady rate, which a broken or hostile client causes."
    ]),
    gauge("requests_under_way", coordinator.underWay(), [
      "Requests that are not over, or whose replicas have not all answered.",
      "Alarming: near to requests_admitted for some minutes."
    ]),
    counter("stray_answers", counts.strayAnswers, [
      "Answers of other nodes that were late, repeated or unasked.",
      "Alarming: more than a few in a hundred requests; nodes or the network are slow."
    ]),
    counter("resends", counts.resends, [
      "Messages to replicas that were sent again.",
      "Alarming: more than a few in a hundred requests; a node or the network is slow."
    ]),
    gauge("late_bytes", coordinator.lateBytes(), [
      "Bytes of answered requests that are kept for replicas that are late.",
      "Alarming: not back to 0 some seconds after all nodes answer again."
    ])
  ]
}

const admissionSamples = ({ coordinator, requests }: NodeCore): ReadonlyArray<Sample> => {
  const admission = coordinator.admission()
  return [
    counter("overload_refusals", admission.refused, [
      "Messages and requests refused, since the node has too much to do.",
      "Alarming: a steady rate; the cluster needs more nodes or fewer requests."
    ]),
    gauge("requests_admitted", admission.limit, [
      "Requests that may be under way; the node finds this limit by how long they wait.",
      "Alarming: at its least value for some minutes."
    ]),
    gauge("wait_seconds", admission.waitMillis / 1_000, [
      "How long messages wait on their way into the node, while a queue stands.",
      "Alarming: above 0.1 for some minutes."
    ]),
    counter("reads_congested", requests.congested(), [
      "Reads refused to NATS clients that do not take their answers.",
      "Alarming: a steady rate; find the client that reads too slowly."
    ]),
    gauge("answer_part_bytes", requests.answerParts.bytes, [
      "Bytes of answers in several messages that wait to be sent to NATS clients.",
      "Alarming: near the limit answersWaitingBytesMax."
    ]),
    counter("answers_dropped", requests.answerParts.dropped, [
      "Answers in several messages that found no room in time, and were given up.",
      "Alarming: a steady rate; find the client that reads too slowly."
    ])
  ]
}

const versionSamples = ({ coordinator }: NodeCore): ReadonlyArray<Sample> => {
  const counts = coordinator.counters()
  return [
    counter("read_repairs", counts.readRepairs, [
      "Replicas brought up to date by a read.",
      "Alarming: a rate that stays up after a fault is over."
    ]),
    counter("reads_widened", counts.readsWidened, [
      "Reads that asked all replicas after few of them were not enough.",
      "Alarming: a growing share of reads; replicas differ, or answer late."
    ]),
    counter("siblings_seen", counts.siblingsSeen, [
      "Answers of more than one sibling.",
      "Alarming: a growing share of reads; clients write without the context of what they read."
    ]),
    counter("catch_ups", counts.catchUps, [
      "Writes that first had to catch up with their context.",
      harmless
    ]),
    counter("lost_told", counts.lostTold, [
      "Sessions told that they had seen a write that is lost.",
      anyIsAlarming
    ]),
    counter("dot_searches", counts.dotSearches, [
      "Searches among all nodes for a write that a client has seen.",
      "Alarming: a steady rate; nodes may have lost data."
    ]),
    counter("deferrals_ended", counts.deferralsEnded, [
      "Removals that had waited for writes which are lost.",
      anyIsAlarming
    ])
  ]
}

const operationSamples = ({ coordinator }: NodeCore): ReadonlyArray<Sample> => {
  const counts = coordinator.counters()
  return [
    counter("operation_inquiries", counts.inquiries, [
      "Retried operations about which other nodes were asked.",
      "Alarming: more than a few in a hundred writes."
    ]),
    counter("operation_fences", counts.fences, [
      "Operations that this node has promised others not to carry out.",
      "Alarming: more than a few in a hundred writes."
    ]),
    counter("operations_unknown", counts.unknownOperations, [
      "Writes of which no node could tell whether they had been applied.",
      "Alarming: any while no node is down."
    ])
  ]
}
