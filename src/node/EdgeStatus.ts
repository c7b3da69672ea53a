/**
 * Says which of a node's alarms still hold.
 */
import { lanWatch } from "../core/model/WatchLimits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { NodeCore } from "./NodeCore.ts"

/** Why the store takes no writes, in a sentence with advice; none where it does. */
export const storageFaults = ({ options: { storage } }: NodeCore): ReadonlyArray<string> => {
  const fault = storage.fault?.()
  if (fault !== undefined) return [`${fault}: replace or rebuild this node`]
  if (storage.healthy()) return []
  const trouble = storage.trouble?.()
  if (trouble === undefined) return ["the disk takes no writes; it is tried again"]
  const { detail, isRestarting, kind } = trouble
  if (isRestarting === true) return [`${detail}; another one is started`]
  switch (kind) {
    case "closed":
      return [`${detail}: start this node again`]
    case "full":
      return [`the disk is full (${detail}): make room; it is tried again`]
    default:
      return [`the disk fails (${detail}): it is tried again; replace it where that does not help`]
  }
}

/** The alarms that hold now and do not keep requests away, in a sentence each. */
export const standingAlarms = (core: NodeCore): ReadonlyArray<string> => [
  ...storageFaults(core),
  ...unreachablePeers(core).map(noAnswerOf),
  ...keyAlarms(core),
  ...orphanedIn(core) > 0 ? [orphanedText] : []
]

/** Partitions of this node that nobody can fill. */
export const orphanedIn = ({ antiEntropy }: NodeCore): number =>
  antiEntropy.filling()?.orphaned ?? 0

export const orphanedText =
  "every owner of some documents lost its disk, or the end of its log: none of them is believed "
  + "that one is absent. Bring a lost disk back, or accept the loss (start --accept-loss)"

/** The members from which nothing has come for a while, as far as their key is no reason. */
export const unreachablePeers = ({ otherKeys, view }: NodeCore): ReadonlyArray<NodeId> => {
  const refused = otherKeys.present()
  return view.members().map(({ id }) => id).filter((id) =>
    id !== view.self && !refused.includes(id)
    && view.liveness.unreachableMillis(id) > lanWatch.peerQuietMillis
  )
}

export const noAnswerOf = (node: NodeId): string => `node ${node} does not answer`

const keyAlarms = ({ options, otherKeys }: NodeCore): ReadonlyArray<string> =>
  otherKeys.present().map((id) =>
    id === options.node
      ? "another process under this node's id has another cluster key"
      : `node ${id} has another cluster key; each refuses the other's frames`
  )
