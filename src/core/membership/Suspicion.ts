/**
 * Says for how long a suspect may refute a suspicion: the longer, the fewer share it.
 *
 * @see Dadgar, Phillips, Currey, Lifeguard: Local Health Awareness for More Accurate Failure
 * Detection, 2018 (section IV.B)
 */
import type { NodeLimits } from "../model/Limits.ts"

export type SuspicionLimits = Pick<NodeLimits, "suspicionMinMillis" | "suspicionMaxMillis">

/** Nodes besides the first that have to share a suspicion for the shortest time. */
const confirmationsMax = 3

/** More nodes than these that share a suspicion change nothing, so it is not told of them. */
export const accusersMax = confirmationsMax + 1

/** `accusers` of all `others`, the suspect among them. */
export const millis = (
  { accusers, others }: { readonly accusers: number; readonly others: number },
  { suspicionMaxMillis: longest, suspicionMinMillis: shortest }: SuspicionLimits
): number => {
  // The node itself, and all others but the suspect, may accuse.
  const possible = Math.min(confirmationsMax, others - 1)
  if (possible <= 0) return shortest
  const share = Math.log(Math.min(accusers, possible + 1)) / Math.log(possible + 1)
  return Math.max(shortest, longest - (longest - shortest) * share)
}
