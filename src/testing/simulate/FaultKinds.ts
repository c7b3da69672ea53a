/**
 * Sorts the simulator's classes of faults into kinds that an application can ask for.
 */
import { brokerFaults } from "../simulator/faults/Broker.ts"
import { clockFaults } from "../simulator/faults/Clocks.ts"
import { damageFaults } from "../simulator/faults/Damage.ts"
import { diskFaults } from "../simulator/faults/Disks.ts"
import { partitionFaults } from "../simulator/faults/Partitions.ts"
import { processFaults } from "../simulator/faults/Processes.ts"
import { strangers } from "../simulator/faults/ForeignTraffic.ts"
import { twins } from "../simulator/faults/DuplicateProcess.ts"
import { networkFaults } from "../simulator/faults/NetworkFaults.ts"

export const faultKinds = {
  /** Messages are late, lost, repeated or strange; the broker stops. */
  network: [...networkFaults, ...brokerFaults, strangers],
  /** Nodes do not reach one another. */
  partitions: partitionFaults,
  /** Nodes pause, crash, and start again. */
  processes: processFaults,
  /** Disks are slow or full, or fail; their data stay. */
  disks: diskFaults,
  /** Clocks are off, by seconds or a day. */
  clocks: clockFaults,
  /** One disk loses or damages data, which only other replicas have then. */
  damage: [...damageFaults, twins]
} as const

export type FaultKind = keyof typeof faultKinds

const isKind = (name: string): name is FaultKind => Object.hasOwn(faultKinds, name)

export const kinds: ReadonlyArray<FaultKind> = Object.keys(faultKinds).filter(isKind)

/** All that a write acknowledged by one replica survives. */
export const survivable: ReadonlyArray<FaultKind> = kinds.filter((kind) => kind !== "damage")
