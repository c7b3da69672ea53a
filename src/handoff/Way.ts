/**
 * Remembers what is on its way to each target, and which of its hints have had their turn.
 */
import type { VersionVector } from "../core/clock/VersionVector.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Hint, Hints } from "../replica/Hints.ts"

/** One document on its way to one target. */
export interface Sent {
  readonly hint: Hint
  /** All that was sent of it. */
  readonly context: VersionVector
  readonly bytes: number
  readonly sentAt: number
}

/** What goes on with one target. */
export interface Way {
  /** By request. */
  readonly sent: Map<number, Sent>
  /** Arrivals of the hints that are on their way. */
  readonly arrivals: Set<number>
  bytes: number
  /** Its disk or its load refused a document: nothing is sent until then. */
  pausedUntil: number
  /** The hints that have not had their turn; those that come meanwhile are the last of them. */
  round: Iterator<Hint, undefined>
  /** No other round begins before: something of this one is to be tried again. */
  nextRoundAt: number
}

export const wayTo = (target: NodeId, hints: Pick<Hints, "of">): Way => ({
  sent: new Map(),
  arrivals: new Set(),
  bytes: 0,
  pausedUntil: -Infinity,
  round: hints.of(target),
  nextRoundAt: -Infinity
})

export const put = (way: Way, request: number, sent: Sent): void => {
  way.sent.set(request, sent)
  way.arrivals.add(sent.hint.arrival)
  way.bytes += sent.bytes
}

/** Takes a document from those on their way. */
export const take = (way: Way | undefined, request: number): Sent | undefined => {
  const sent = way?.sent.get(request)
  if (way === undefined || sent === undefined) return undefined
  way.sent.delete(request)
  way.arrivals.delete(sent.hint.arrival)
  way.bytes -= sent.bytes
  return sent
}
