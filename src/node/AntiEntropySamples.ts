/**
 * Lists what a node counts of the comparison of its documents with those of other nodes.
 */
import type { FillingStatus } from "../anti-entropy/Filling.ts"
import type { Sample } from "../http/Metrics.ts"
import type { NodeCore } from "./NodeCore.ts"
import { anyIsAlarming, counter, gauge, harmless } from "./Samples.ts"

const nothing: FillingStatus = { filled: 0, owned: 0, orphaned: 0, unasked: 0 }

export const antiEntropySamples = (core: NodeCore): ReadonlyArray<Sample> => {
  const { counts } = core.antiEntropy
  const { background } = core.coordinator.admission()
  const { filled, orphaned, owned } = core.antiEntropy.filling() ?? nothing
  const versions = core.replica.versions.stats()
  return [
    gauge("partitions_to_fill", owned - filled, [
      "Partitions of which others have still to send everything, where data was lost: all of them "
      + "while any member is down, or has not sent yet what it keeps in place of owners.",
      "Alarming: a number above 0 that does not fall."
    ]),
    gauge("partitions_orphaned", orphaned, [
      "Those of them of which every other owner lost data too, so that none can send everything.",
      "Alarming: any that lasts; it waits for a lost disk, or for --accept-loss."
    ]),
    counter("exchanges", counts.exchanges, [
      "Comparisons with another node that came to their end.",
      "Alarming: none for a minute; replicas that differ stay so until they are read."
    ]),
    counter("exchanges_failed", counts.failures, [
      "Comparisons that ended early, as those with a store do that is filled.",
      "Alarming: as many as come to their end."
    ]),
    gauge("partition_exchange_age_seconds", (core.antiEntropy.oldestMillis() ?? 0) / 1000, [
      "Since the partition that was compared longest ago; 0 where none was yet.",
      "Alarming: minutes; its replicas differ until they are read."
    ]),
    counter("differences", counts.differences, [
      "Versions that one of two nodes lacked for longer than a write takes.",
      harmless
    ]),
    counter("differences_repaired", counts.repaired, [
      "Documents that this node or the other one joined because they differed.",
      harmless
    ]),
    counter("repair_bytes", counts.movedBytes, [
      "Bytes of documents that this node sent or fetched for that.",
      harmless
    ]),
    gauge("background_share", background.share(core.options.runtime.elapsed()), [
      "Share of its rate at which work in the background goes on, by the latency of requests.",
      "Alarming: at its least for hours; replicas that differ take longer to become equal."
    ]),
    counter("background_paused_seconds", background.pausedMillis / 1000, [
      "Time that work in the background was made to wait.",
      harmless
    ]),
    gauge("version_hashes", versions.versions, [
      "Documents whose versions are hashed in memory.",
      harmless
    ]),
    gauge("version_hash_bytes", versions.bytes, ["Memory that these hashes take.", harmless]),
    gauge("partitions_hashed", versions.whole, [
      "Partitions whose rows have all been hashed since the start; the others are not compared.",
      harmless
    ]),
    counter("version_mismatches", versions.mismatches, [
      "Partitions whose hashes did not fit their rows, and were made anew.",
      anyIsAlarming
    ]),
    counter("partitions_scrubbed", versions.scrubbed, [
      "Partitions of which all rows were read to find damaged ones.",
      harmless
    ]),
    counter("rows_damaged", versions.damagedRows, [
      "Damaged rows met while versions were hashed.",
      anyIsAlarming
    ])
  ]
}
