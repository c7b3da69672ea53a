/**
 * Brings stale replicas up to date at the end of a read: all of them get the join of all answers,
 * or what they lack of it.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, section 5
 */
import type { Store, StoreDelta } from "../../schemas/PeerMessage.ts"
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import { invariant } from "../core/Invariant.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as ReadDecision from "../core/quorum/ReadDecision.ts"
import * as Targets from "../core/quorum/Targets.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import type { ReplicaHistories } from "./ReplicaHistories.ts"
import { owedHere } from "./SloppyTargets.ts"
import { deltaMessage, repairMessage } from "./StoreMessage.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

/** A read whose answers are all in. */
export interface EndedRead {
  readonly read: ValidatedRead
  readonly decision: ReadDecision.ReadDecision
  /** The join of all answers. */
  readonly joined: Document.Document
  readonly histories: ReplicaHistories
}

/**
 * Sends every replica that answered with less, or could not read its own, the joined document, or
 * the changes of it that it lacks.
 */
export const readRepair = (context: CoordinatorContext, ended: EndedRead): void => {
  const { decision, joined } = ended
  if (joined === Document.empty) return
  const { versions } = decision.answers
  const first = versions[0]?.version
  const agreed = versions.length > 0 && versions.every(({ version }) => version === first)
  const encoded = agreed ? undefined : DocumentCodec.encode(joined)
  const stale = ReadDecision.repairs(decision, encoded?.digest ?? String(first))
  if (stale.length === 0) return
  invariant(decision.spared === 0, "a read that finds a stale replica asks every other one")
  const { counters, node: self, send } = context
  const whole = encoded ?? DocumentCodec.encode(joined)
  // The own replica gives others the changes that it takes now.
  if (stale.some(({ node }) => node === self)) repairOwn(context, ended)
  for (const { hintFor, node } of stale) {
    counters.readRepairs++
    mark(context, decision, node)
    if (node === self) continue
    const message = repairOf(context, ended, { node, whole })
    send(node, hintFor === undefined ? message : { ...message, hintFor })
  }
}

const repairOwn = (
  context: CoordinatorContext,
  { histories, joined, read }: EndedRead
): void => {
  const { replica } = context
  const { row: key } = read
  const owed = owedHere(context, read)
  // A full disk would fail it, at the cost of an incarnation.
  if (!replica.writable()) return
  for (const change of histories.changes) replica.join({ key, ...change, owed }, () => {})
  replica.join({ key, document: joined, owed }, () => {})
}

const repairOf = (
  { replica, runtime }: CoordinatorContext,
  { histories, joined, read }: EndedRead,
  { node, whole }: { readonly node: NodeId; readonly whole: DocumentCodec.EncodedDocument }
): Store | StoreDelta => {
  const since = histories.of(node)
  const edits = since && replica.edits.since(read.row, joined, since)
  if (edits === undefined || edits.length === 0) return repairMessage(read, whole.bytes)
  runtime.mark("read: a replica is repaired by the changes that it lacks")
  return deltaMessage(read, { request: 0, sync: false, edits })
}

const mark = (
  { node: self, runtime }: CoordinatorContext,
  { answers: { absent, damaged }, nodes }: ReadDecision.ReadDecision,
  node: NodeId
): void => {
  const index = Targets.indexOf(nodes, node)
  if (node === self) runtime.mark("read: the own replica is repaired")
  else if (Targets.has(absent, index)) runtime.mark("read: a replica that has nothing is repaired")
  else if (Targets.has(damaged, index)) runtime.mark("read: a damaged replica is repaired")
  else runtime.mark("read: a stale replica is repaired")
}
