/**
 * Makes the seal of frames between nodes from the keys of their cluster.
 */
import type { TokenKey } from "../core/clock/CausalContext.ts"
import { accepted, type ClusterKeys } from "../core/clock/ClusterKeys.ts"
import { type FrameKey, FrameSeal } from "../transport/FrameSeal.ts"
import { keyIdOf } from "./ClusterKey.ts"

const frameKey = (key: TokenKey): FrameKey => ({ key: key.key, id: keyIdOf(key) })

/** The present key seals, and both prove. */
export const frameSeal = (keys: ClusterKeys): FrameSeal => {
  const [first, ...others] = accepted(keys)
  return new FrameSeal([frameKey(first), ...others.map(frameKey)])
}
