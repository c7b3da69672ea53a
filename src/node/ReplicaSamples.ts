/**
 * Lists what a node counts of the documents that it keeps, and of the store below them.
 */
import type { Sample } from "../http/Metrics.ts"
import type { StorageStats } from "../storage/Storage.ts"
import type { NodeCore } from "./NodeCore.ts"
import { anyIsAlarming, counter, gauge, harmless } from "./Samples.ts"

export const replicaSamples = (core: NodeCore): ReadonlyArray<Sample> => [
  ...documentSamples(core),
  ...joinSamples(core),
  ...memorySamples(core),
  ...visibilitySamples(core),
  ...storageSamples(core)
]

const documentSamples = ({ replica }: NodeCore): ReadonlyArray<Sample> => {
  const stats = replica.stats()
  return [
    counter("updates", stats.updates, ["Operations applied to documents here.", harmless]),
    counter("retries", stats.retries, [
      "Operations that had been applied already, and were answered again.",
      harmless
    ]),
    counter("documents_large", stats.largeDocuments, [
      "Writes that left their document beyond half of a limit.",
      "Alarming: any; the log names the document, which will refuse writes when it has grown on."
    ]),
    counter("documents_too_large", { label: "limit", values: stats.growthRefused }, [
      "Writes refused because of a limit of their document.",
      anyIsAlarming
    ])
  ]
}

const joinSamples = ({ coordinator, replica, view }: NodeCore): ReadonlyArray<Sample> => {
  const stats = replica.stats()
  return [
    counter("joins", stats.joins, ["Documents of other replicas joined here.", harmless]),
    counter("bases_missing", stats.basesMissing, [
      "Changes of other replicas that came before the changes on which they rest.",
      harmless
    ]),
    counter("discards", stats.discards + coordinator.counters().discards, [
      "Concurrent last writes of which one was lost here, as last write wins has it.",
      "Alarming: where no write may be lost; such a bucket wants another strategy."
    ]),
    counter("divergences", stats.divergences, [
      "Equal contexts found with unequal states.",
      "Alarming: any; please report it as a fault of this program."
    ]),
    counter("conflicting_dots", stats.conflicts, [
      "Writes found with another content at another replica.",
      "Alarming: any; a disk, a memory or a forged message changed a document."
    ]),
    counter("clock_clamps", view.clockClamps(), [
      "Stamps taken from the other nodes' clocks, since the own clock is too far ahead.",
      "Alarming: any; set the clock of this machine."
    ])
  ]
}

const memorySamples = ({ replica }: NodeCore): ReadonlyArray<Sample> => {
  const stats = replica.stats()
  return [
    gauge("cached_documents", stats.cachedDocuments, ["Documents kept decoded.", harmless]),
    gauge("cached_bytes", stats.cachedBytes, ["Memory that these documents take.", harmless]),
    gauge("recent_edits", stats.recentEdits, [
      "Changes that are kept for replicas which lack some.",
      harmless
    ]),
    gauge("recent_edit_bytes", stats.recentEditBytes, [
      "Memory that these changes take.",
      harmless
    ]),
    counter("recent_edits_forgotten", stats.recentEditsForgotten, [
      "Changes that were forgotten for newer ones: replicas that lack them get the document.",
      harmless
    ]),
    gauge("last_dots", stats.lastDots, [
      "Documents of which memory has the last write that was made here.",
      harmless
    ]),
    gauge("operations_kept", replica.operations.kept, [
      "Operations that are remembered, so that a retry is not applied again.",
      harmless
    ]),
    counter("operations_evicted", replica.operations.evicted, [
      "Operations that were forgotten for newer ones.",
      harmless
    ]),
    counter("leaf_reads", stats.leafReads, [
      "Writes for which the disk had to tell the last write that was made here.",
      harmless
    ]),
    counter("births", stats.births, [
      "Documents of which this node made its first write since it started.",
      harmless
    ])
  ]
}

const visibilitySamples = ({ replica }: NodeCore): ReadonlyArray<Sample> => {
  const stats = replica.stats()
  return [
    counter("reads_delayed", stats.readsDelayed, [
      "Reads that waited for a commit.",
      "Alarming: a large share of reads; the disk is slow."
    ]),
    counter("reads_of_version_before", stats.readsOfVersionBefore, [
      "Reads shown an older version, since the commit of the newest took too long.",
      "Alarming: any that goes on; the disk is slow or failing."
    ]),
    gauge("reads_waiting", stats.readsWaiting, [
      "Reads that wait for a commit now.",
      "Alarming: above 0 for some seconds."
    ])
  ]
}

const storageSamples = ({ options: { storage }, replica }: NodeCore): ReadonlyArray<Sample> => {
  const stats = storage.stats()
  return [
    counter("commits", stats.groups, ["Groups of changes committed and synced.", harmless]),
    counter("commit_failures", stats.failures, [
      "Commits that the disk refused.",
      "Alarming: any; the disk is full or failing."
    ]),
    counter("changes", stats.changes, ["Changes committed.", harmless]),
    counter("bytes_committed", stats.bytes, ["Bytes of changes and rows committed.", harmless]),
    gauge("changes_waiting", stats.waiting, [
      "Changes accepted and not committed yet.",
      "Alarming: a number that grows; the disk is slow."
    ]),
    ...logSamples(stats),
    gauge("writable", storage.healthy() ? 1 : 0, [
      "1 while the disk takes writes.",
      "Alarming: 0."
    ]),
    counter("damaged_rows", stats.damaged, [
      "Reads that found a damaged row.",
      "Alarming: any; replace the disk."
    ]),
    gauge("mended_documents", replica.mended.size, [
      "Documents whose damaged row was replaced by that of another replica.",
      anyIsAlarming
    ]),
    counter("incarnations_ended", replica.stats().incarnationsEnded, [
      "Times that this node began anew without a restart: a commit had failed, or a row was lost.",
      anyIsAlarming
    ])
  ]
}

/** Of the log, and of the fold of its rows into the tables. */
const logSamples = (stats: StorageStats): ReadonlyArray<Sample> => [
  gauge("unfolded_bytes", stats.unfoldedBytes, [
    "Bytes of rows in memory that are committed and not folded into the tables yet.",
    harmless
  ]),
  gauge("unfolded_changes", stats.unfoldedChanges, [
    "Changes of documents by which the tables are behind the log.",
    "Alarming: a number that grows beyond what two logs hold; the fold fails."
  ]),
  gauge("log_bytes", stats.logBytes, ["Bytes of the log that are not folded yet.", harmless]),
  counter("fold_slices", stats.foldSlices, ["Slices of folds into the tables.", harmless])
]
