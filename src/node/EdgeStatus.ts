/**
 * Says which of a node's alarms still hold.
 */
import type { NodeCore } from "./NodeCore.ts"

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
