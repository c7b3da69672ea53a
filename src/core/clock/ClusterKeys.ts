/**
 * Names the keys that the nodes of a cluster share: one that seals, and, while it is rotated, one
 * more that is accepted.
 */
import type { TokenKey } from "./CausalContext.ts"

export interface ClusterKeys {
  /** Seals all that this node makes. */
  readonly current: TokenKey
  /** Seals nothing; seals made under it elsewhere, or earlier, are accepted. */
  readonly previous?: TokenKey
}

/** The keys that are accepted, the one that seals first. */
export const accepted = (
  { current, previous }: ClusterKeys
): readonly [TokenKey, ...ReadonlyArray<TokenKey>] =>
  previous === undefined ? [current] : [current, previous]
