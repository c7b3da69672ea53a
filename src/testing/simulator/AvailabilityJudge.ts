/**
 * Judges whether a request should have been carried out: by the node that refused it, and by the
 * cluster where its client was told of an error in the end. A client that one node refuses asks
 * others, so that its own outcome does not show a healthy node that refuses wrongly.
 */
import { mayHaveApplied, type StoreError } from "../../core/model/StoreError.ts"
import type { PlannedOperation } from "./Plan.ts"
import type { SimCluster } from "./SimCluster.ts"
import type { Taking } from "./Taking.ts"

/** A node's own error, in the moment in which it gives it. */
export interface Refusal {
  readonly taking: Taking
  readonly error: StoreError
  /** Whether no other message was sent until then, so that the node has to know of none. */
  readonly isOnly: boolean
}

/** All that is known of the way of an operation that failed. */
export interface FailedWay {
  /** Tags of the errors that nodes answered. */
  readonly refusals: ReadonlyArray<string>
  readonly sendings: number
  readonly isNamed: boolean
  readonly isDisturbed: boolean
  readonly takings: ReadonlyArray<Taking>
}

/** After so long, a mended node has recovered. */
const recoveryMillis = 5_000

/**
 * Errors by which a node rightly refuses, healthy or not: of contexts, of clocks far off, and of
 * documents that have grown to a limit.
 */
const rightful: ReadonlySet<string> = new Set([
  "ContextTooOld",
  "DocumentTooLarge",
  "InvalidRequest"
])

/**
 * Whether an operation takes away, so that no limit of its document may refuse it. A cart strikes
 * an item out by a value that says so.
 */
const reduces = ({ action: { kind }, bucket }: PlannedOperation): boolean =>
  kind === "delete" || (kind === "remove" && bucket !== "carts")

/**
 * Whether a node that took a request could not answer it alone: it lacked something that the
 * session had seen, or it was incomplete and found nothing.
 */
const needsOthers = ({ isBehind, isIncomplete }: Taking, error: StoreError): boolean =>
  isBehind || isIncomplete && error._tag === "QuorumNotMet" && error.action === "read"

/** Whether a node is to carry out an operation alone, calm as it has been since `calm`. */
const isDuty = (
  cluster: SimCluster,
  operation: PlannedOperation,
  { calm, node }: Pick<Taking, "calm" | "node">
): boolean =>
  operation.consistency === "available" && calm !== undefined
  && cluster.node(node).calm === calm && cluster.primaries(operation).includes(node)

/**
 * Whether a primary gave a read up although the replicas that neither answered nor are named in its
 * error could have met the needs. Other nodes name those to which they forwarded it.
 */
const leavesOut = (cluster: SimCluster, operation: PlannedOperation, refusal: Refusal): boolean => {
  const { error, taking: { node } } = refusal
  const primaries = cluster.primaries(operation)
  if (error._tag !== "QuorumNotMet" || error.action !== "read" || !primaries.includes(node)) {
    return false
  }
  const { had, incomplete = [], needed, refused, unreachable } = error
  const named = new Set([...unreachable, ...incomplete, ...refused.map((other) => other.node)])
  const { pr = 0, r = 0 } = had
  const left = primaries.length - named.size - r
  return left > 0 && r + left >= (needed.r ?? 0) && pr + left >= (needed.pr ?? 0)
}

/** Why a node should not have refused what it took; undefined where it may. */
export const judgeRefusal = (
  cluster: SimCluster,
  operation: PlannedOperation,
  refusal: Refusal
): string | undefined => {
  const { error, isOnly, taking } = refusal
  if (error._tag === "DocumentTooLarge" && reduces(operation)) {
    return `${taking.node} refused o${operation.id}, which takes away: ${error.message}`
  }
  if (leavesOut(cluster, operation, refusal)) {
    return `${taking.node} failed o${operation.id} before it asked every replica: ${error.message}`
  }
  // A new mark is no refusal. Of several nodes none can always tell what the others did, or tell it
  // so early that its disk is done in time: each may be in doubt, and no more.
  const isUnknown = error._tag === "StaleMark" || mayHaveApplied(error) && !isOnly
  if (isUnknown || rightful.has(error._tag) || needsOthers(taking, error)) return undefined
  if (error._tag === "Overloaded" && taking.isLoaded) return undefined
  if (!isDuty(cluster, operation, taking)) return undefined
  return `${taking.node} refused o${operation.id}: ${error.message}`
}

/** Why an operation should not have failed; undefined where it may. */
export const judgeFailure = (
  cluster: SimCluster,
  { calm, error, invokedAt, operation, trace }: {
    readonly operation: PlannedOperation
    readonly invokedAt: number
    /** That of the node which it goes to first, when it began. */
    readonly calm: number | undefined
    readonly error: StoreError
    readonly trace: FailedWay
  }
): string | undefined => {
  const { id, node } = operation
  const tags = [error._tag, ...trace.refusals]
  // Who names a write, or sends it again, learns that a node which is away may have applied it.
  const isHealed = invokedAt >= cluster.healedAt + recoveryMillis
  const isUnknown = tags.includes("OperationUnknown") && !isHealed
    && (trace.isNamed || trace.sendings > 1)
  // A healed cluster may have lost what the session has seen; of a node that was behind at the
  // time, `needsOthers` knows.
  const isUncovered = isHealed && tags.includes("ContextNotCovered")
  const isTooMuch = tags.includes("Overloaded") && trace.takings.some(({ isLoaded }) => isLoaded)
  if (isUnknown || isUncovered || isTooMuch || tags.some((tag) => rightful.has(tag))) {
    return undefined
  }
  const isCalm = !trace.isDisturbed && isDuty(cluster, operation, { calm, node })
    && !trace.takings.some((taking) => taking.node === node && needsOthers(taking, error))
  return isCalm || isHealed ? `o${id} at ${node}: ${error.message}` : undefined
}
