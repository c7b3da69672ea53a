/**
 * Says whether a node is ready for requests, and lists its counts for metrics.
 */
import type { Sample } from "../http/Metrics.ts"
import type { Health } from "../http/Inspection.ts"
import { standingAlarms, storageFaults } from "./EdgeStatus.ts"
import { handoffSamples } from "./HandoffSamples.ts"
import { networkSamples } from "./NetworkSamples.ts"
import type { NodeCore } from "./NodeCore.ts"
import { antiEntropySamples } from "./AntiEntropySamples.ts"
import { replicaSamples } from "./ReplicaSamples.ts"
import { requestSamples } from "./RequestSamples.ts"

/** `missingRights`: of the node's user at the broker, in a sentence each. */
export const healthOf = (
  core: NodeCore,
  isStopping: () => boolean,
  missingRights: () => ReadonlyArray<string> = () => []
): Health => ({
  alarms: () => standingAlarms(core),
  notReady: () => [
    ...isStopping() ? ["the node is stopping"] : [],
    ...core.processes.superseded === undefined ? [] : ["another process runs under this node's id"],
    ...diskFaults(core),
    ...missingRights(),
    ...core.options.transport.connected()
      ? []
      : ["there is no connection to NATS; it is made again once a broker is there"]
  ]
})

/** A disk that works again gets documents a moment later: until then the node refuses writes. */
const diskFaults = (core: NodeCore): ReadonlyArray<string> => {
  const faults = storageFaults(core)
  return faults.length > 0 || core.replica.writable()
    ? faults
    : ["the disk failed a moment ago; writes are tried on it again in a moment"]
}

export const samplesOf = (core: NodeCore): ReadonlyArray<Sample> => [
  ...requestSamples(core),
  ...replicaSamples(core),
  ...antiEntropySamples(core),
  ...handoffSamples(core),
  ...networkSamples(core)
]
