/**
 * Counts what a node finds out about its peers and about other processes under its id, and says
 * which of its alarms still hold.
 */
import type { Sample } from "../http/Metrics.ts"
import type { NodeCore } from "./NodeCore.ts"

export const edgeSamples = (
  { link, otherKeys, processes, view }: NodeCore
): ReadonlyArray<Sample> => {
  const { partBytes, partsAsked, partsResent, windowBytes } = link.stats()
  const offsets = [...view.clocks.offsets()].map(([id, millis]) => [id, millis / 1000] as const)
  return [
    {
      name: "parts_asked_total",
      type: "counter",
      help: "Questions for the missing parts of long messages.",
      value: partsAsked
    },
    {
      name: "parts_resent_total",
      type: "counter",
      help: "Parts of long messages sent again because they were asked for.",
      value: partsResent
    },
    {
      name: "part_bytes",
      type: "gauge",
      help: "Bytes of long messages that wait for parts, or for questions for parts.",
      value: partBytes
    },
    {
      name: "frame_window_bytes",
      type: "gauge",
      help: "Bytes by which frames of other nodes are known again.",
      value: windowBytes
    },
    {
      name: "process_frames_refused_total",
      type: "counter",
      help: "Messages of other processes under this node's id that were not taken.",
      value: { label: "reason", values: { ...processes.refusals } }
    },
    {
      name: "peer_clock_offset_seconds",
      type: "gauge",
      help: "How far a peer's clock is ahead, as far as its frames show.",
      value: { label: "node", values: Object.fromEntries(offsets) }
    },
    {
      name: "peers_with_other_key",
      type: "gauge",
      help: "Members whose last frame was refused because of another cluster key.",
      value: otherKeys.present().length
    },
    {
      name: "other_processes_total",
      type: "counter",
      help: "Answers of other processes under this node's id.",
      value: processes.met
    }
  ]
}

/** Why the store takes no writes until the node starts again, in a sentence; none where it may. */
export const storageFaults = ({ options: { storage } }: NodeCore): ReadonlyArray<string> => {
  const fault = storage.fault?.()
  return fault === undefined ? [] : [`${fault}: replace or rebuild this node`]
}

/** The alarms that hold now and do not keep requests away, in a sentence each. */
export const standingAlarms = (core: NodeCore): ReadonlyArray<string> => [
  ...storageFaults(core),
  ...keyAlarms(core)
]

const keyAlarms = ({ options, otherKeys }: NodeCore): ReadonlyArray<string> =>
  otherKeys.present().map((id) =>
    id === options.node
      ? "another process under this node's id has another cluster key"
      : `node ${id} has another cluster key; each refuses the other's frames`
  )
