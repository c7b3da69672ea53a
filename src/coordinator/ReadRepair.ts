/**
 * Brings stale replicas up to date at the end of a read: all of them get the join of all answers.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, section 5
 */
import * as Document from "../core/crdt/Document.ts"
import * as DocumentCodec from "../core/crdt/DocumentCodec.ts"
import type { NodeId } from "../core/model/Names.ts"
import * as ReadDecision from "../core/quorum/ReadDecision.ts"
import * as Targets from "../core/quorum/Targets.ts"
import type { CoordinatorContext } from "./CoordinatorContext.ts"
import { repairMessage } from "./StoreMessage.ts"
import type { ValidatedRead } from "./ValidatedRequest.ts"

/** A read whose answers are all in. */
export interface EndedRead {
  readonly read: ValidatedRead
  readonly decision: ReadDecision.ReadDecision
  /** The join of all answers. */
  readonly joined: Document.Document
}

/**
 * Sends the joined document to every replica that answered with less, or could not read its own.
 */
export const readRepair = (
  context: CoordinatorContext,
  { decision, joined, read }: EndedRead
): void => {
  if (joined === Document.empty) return
  const { versions } = decision.answers
  const first = versions[0]?.version
  const agreed = versions.length > 0 && versions.every(({ version }) => version === first)
  const encoded = agreed ? undefined : DocumentCodec.encode(joined)
  const stale = ReadDecision.repairs(decision, encoded?.digest ?? String(first))
  if (stale.length === 0) return
  const { counters, node: self, replica, send } = context
  const document = (encoded ?? DocumentCodec.encode(joined)).bytes
  const { row } = read
  for (const { node } of stale) {
    counters.readRepairs++
    mark(context, decision, node)
    if (node !== self) {
      send(node, repairMessage(read, document))
    } else if (replica.writable()) {
      // A full disk would fail it, at the cost of an incarnation.
      replica.join({ key: row, document: joined }, () => {})
    }
  }
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
