/**
 * Lists what a node counts of the documents that it keeps for other nodes.
 */
import type { Sample } from "../http/Metrics.ts"
import type { NodeCore } from "./NodeCore.ts"
import { anyIsAlarming, counter, gauge, harmless } from "./Samples.ts"

export const handoffSamples = (core: NodeCore): ReadonlyArray<Sample> => {
  const { handoff, options: { runtime }, replica: { hints } } = core
  const owed = hints.owed()
  const stats = hints.stats()
  const ways = handoff.stats()
  const oldest = Math.min(...owed.map(({ sinceMillis }) => sinceMillis))
  const age = owed.length === 0 ? 0 : Math.max(runtime.now() - oldest, 0)
  return [
    gauge("hints", { label: "target", values: byTarget(owed) }, [
      "Documents kept for another node until it can be reached.",
      "Alarming: more and more for a node that is up."
    ]),
    gauge("hint_bytes", stats.hintBytes, [
      "Bytes of the documents kept for other nodes.",
      "Alarming: near hintBytesMax, beyond which no more are taken."
    ]),
    gauge("hint_oldest_seconds", age / 1_000, [
      "How long the oldest of them has been kept.",
      "Alarming: minutes, where its target is up."
    ]),
    counter("hints_delivered", ways.hintsDelivered, [
      "Documents that a node got which they were kept for.",
      harmless
    ]),
    counter("hints_resent", ways.hintsResent, [
      "Kept documents sent again, since they were not confirmed in time.",
      harmless
    ]),
    counter("hints_refused", stats.hintsRefused, [
      "Documents that were not kept for another node, since too many are.",
      anyIsAlarming
    ]),
    counter("hints_refused_by_target", ways.hintsRefusedByTarget, [
      "Kept documents that their target did not take.",
      "Alarming: any; the disk of the target is full or failing, or its bucket is another."
    ]),
    counter("hints_void", ways.hintsVoid + stats.hintsUnreadable, [
      "Hints whose document was gone or damaged, or whose row the disk could not give back.",
      anyIsAlarming
    ]),
    counter("hint_copies_unreadable", ways.copiesUnreadable, [
      "Reads of kept documents that failed; the documents stay, and are read again.",
      anyIsAlarming
    ])
  ]
}

const byTarget = (
  owed: ReturnType<NodeCore["replica"]["hints"]["owed"]>
): Readonly<Record<string, number>> =>
  Object.fromEntries(owed.map(({ hints, target }) => [target, hints]))
