/**
 * Counts the frames and messages of a node's link with its peers.
 */
import type { WorkQueue } from "../core/WorkQueue.ts"
import type { GateRefusals } from "./FrameGate.ts"

export interface LinkStats {
  readonly framesSent: number
  readonly messagesSent: number
  /** Runs of parts given up because too much was waiting, or their sender sends no more. */
  readonly abandonedRuns: number
  /** Questions for the missing parts of a run. */
  readonly partsAsked: number
  /** Parts sent again because they were asked for. */
  readonly partsResent: number
  /** Bytes of parts that wait for others, and of runs kept for receivers that miss parts. */
  readonly partBytes: number
  /** Requests under the digest of another ring; they were answered, and reached no handler. */
  readonly otherRing: number
  /** Messages that were lost because their handler threw. */
  readonly handlerFailures: number
  /** Bytes of the numbers by which repeats are known. */
  readonly windowBytes: number
  /** The turns of frames' messages. */
  readonly work: WorkQueue["stats"]
  /**
   * Frames that were not taken; `formerIncarnation` were meant for an earlier incarnation of this
   * node, `formerSender` come from an earlier one of their sender.
   */
  readonly refused: GateRefusals & {
    readonly malformed: number
    readonly otherCluster: number
    readonly formerIncarnation: number
    readonly formerSender: number
  }
}
