/**
 * Reads a system call trace, as `strace -f -y` writes it, for groups that were acknowledged
 * unsynced.
 */

/** `1234 pwrite64(21</data/store.sqlite-wal>, ...`: process, call, file, the rest. */
const begun = /^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$/
const resumed = /^(\d+) +<\.\.\. (\w+) resumed>.*= 0$/

export interface SyncReport {
  readonly acknowledged: number
  /** Acknowledgements before which nothing was written, or the writes were not synced. */
  readonly unsynced: number
}

/**
 * Follows the files of the log from each write to its sync, and to the line that acknowledges;
 * without a log, the file that SQLite writes first.
 */
export const readSyncTrace = (trace: string, hasLog: boolean): SyncReport => {
  const followed = hasLog ? /\.sqlite-log-[01]$/u : /\.sqlite-wal$/u
  let log: "clean" | "written" | "synced" = "clean"
  let acknowledged = 0
  let unsynced = 0
  const syncing = new Set<string>()
  for (const line of trace.split("\n")) {
    const [, finisher = ""] = resumed.exec(line) ?? []
    if (syncing.delete(finisher)) log = "synced"
    const [, caller = "", call = "", file = "", rest = ""] = begun.exec(line) ?? []
    if (call === "write" && rest.includes("acknowledged")) {
      acknowledged++
      if (log !== "synced") unsynced++
      log = "clean"
    }
    if (!followed.test(file)) continue
    if (call.includes("write")) log = "written"
    else if (rest.endsWith("= 0")) log = "synced"
    else if (rest.endsWith("<unfinished ...>")) syncing.add(caller)
  }
  return { acknowledged, unsynced }
}
