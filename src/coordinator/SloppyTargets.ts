/**
 * Says which nodes a request goes to, by what this node believes of them: the primaries, and the
 * fallbacks that are believed up, which stand in for those that are suspect, late, or refuse.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, section 4.6 (sloppy quorum)
 */
import type { NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import * as Targets from "../core/quorum/Targets.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import type { DocumentNodes } from "../gossip/ClusterView.ts"
import type { Owed } from "../replica/Hints.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { ValidatedRead, ValidatedWrite } from "./ValidatedRequest.ts"

type Services = Pick<CoordinatorContext, "node" | "view">

interface Named {
  readonly bucket: KnownBucket
  readonly row: RowKey
}

export interface SloppyTargets {
  readonly nodes: DocumentNodes
  /** The targets that may be down. */
  readonly suspects: number
}

/**
 * The targets of a request. Where this node is no primary it is the first fallback, in the place of
 * all targets at once. Without `sloppy` nobody stands in for a primary.
 */
export const sloppyTargets = (
  { node: self, view }: Services,
  { bucket, row, sloppy }: Named & { readonly sloppy: boolean }
): SloppyTargets => {
  const { n } = bucket.definition
  if (!sloppy) return { nodes: view.placement(row.partition, n), suspects: 0 }
  const nodes = view.placementWithFallbacks(row.partition, n)
  const { fallbacks, primaries, targets } = nodes
  const { liveness } = view
  let suspects = 0
  for (let index = 0; index < targets.length; index++) {
    const { node } = targets[index]!
    if (node !== self && !liveness.isUp(node)) suspects |= 1 << index
  }
  if (primaries.includes(self)) {
    if (suspects === 0) return { nodes, suspects }
    const up = fallbacks.filter((node) => liveness.isUp(node))
    return { nodes: { primaries, targets, fallbacks: up }, suspects }
  }
  const others = fallbacks.filter((node) => node !== self && liveness.isUp(node))
  return {
    nodes: { primaries, targets, fallbacks: [self, ...others] },
    suspects: Targets.firstIndices(targets.length)
  }
}

/** Says in an error that nobody was to stand in. */
export const sloppyField = (
  { sloppy }: { readonly sloppy: boolean }
): { readonly sloppy?: false } => (sloppy ? {} : { sloppy: false })

/** Whether this node is to have a document. */
export const isPrimary = ({ node, view }: Services, { bucket, row }: Named): boolean =>
  view.placement(row.partition, bucket.definition.n).primaries.includes(node)

/** Whether there are nodes that are not to have a document, and may keep it for those that are. */
export const hasOthers = ({ view }: Services, { bucket, row }: Named): boolean =>
  view.placementWithFallbacks(row.partition, bucket.definition.n).fallbacks.length > 0

/** To whom a document is owed that this node takes in; undefined where it is to have it itself. */
export const owedHere = ({ node, view }: Services, { bucket, row }: Named): Owed | undefined => {
  const { primaries } = view.placement(row.partition, bucket.definition.n)
  if (primaries.includes(node)) return undefined
  return { targets: primaries, fingerprint: bucket.fingerprint }
}

type Away = (node: NodeId) => boolean

/** Whether every node that is to have a document is believed to be unreachable. */
export const isCutOff = (
  { node: self, view }: Services,
  { bucket, row }: Named,
  isAway: Away = (node) => !view.liveness.isUp(node)
): boolean => {
  const { targets } = view.placement(row.partition, bucket.definition.n)
  return targets.every(({ node }) => node !== self && isAway(node))
}

/**
 * Whether a node that is not to have a document carries a request out itself, since none of those
 * can be reached that are. A write that its client sent to one of them may be applied there, and
 * the operation's memory tells; where no mark goes with its name, nobody could tell afterwards that
 * it was taken here.
 */
export const standsIn = (
  services: Services,
  validated: ValidatedRead | ValidatedWrite,
  isAway?: Away
): boolean => {
  if (!validated.sloppy || !isCutOff(services, validated, isAway)) return false
  return !("calls" in validated) || validated.id === undefined
    || validated.claim.mark !== undefined
}

/**
 * Whether a node takes over a request that it has forwarded in vain. A primary that has gone quiet
 * is as good as one that leaves a question unanswered for as long, since it would greet.
 */
export const takesOver = (
  services: Services,
  validated: ValidatedRead | ValidatedWrite
): boolean => {
  const { liveness } = services.view
  return standsIn(services, validated, (id) => !liveness.isUp(id) || liveness.isQuiet(id))
}
