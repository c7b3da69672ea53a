/**
 * Names what operations cost in figures that are the same in each run, and reads those of the disk
 * from a trace of system calls.
 */

/** All figures are of so many operations, done one after the other. */
export const operationsCounted = 100

/** Of the client and three nodes together. */
export interface Counts {
  /** Messages that they publish. */
  readonly messages: number
  /** Bytes in those messages, without their subjects. */
  readonly wireBytes: number
  /** Calls of SQLite. */
  readonly statements: number
  readonly commits: number
}

export interface DiskCounts {
  readonly syncs: number
  readonly diskBytes: number
}

const marker = /^write\(2(?:<[^>]*>)?, "(begin|end) ([^"\\]+)\\n"/u
const sync = /^(?:fsync|fdatasync)\(/u
/** A write into one of the stores, and how many bytes were taken. */
const writing = /^(?:write|writev|pwrite64|pwritev)\(\d+<[^>]*\/n\d\/[^>]*>.* = (\d+)$/u

/** By the kind of operation. `trace` is as `strace -y` writes it of one thread. */
export const readDiskTrace = (trace: string): Readonly<Record<string, DiskCounts>> => {
  const counts: Record<string, DiskCounts> = {}
  let kind: string | undefined
  let syncs = 0
  let diskBytes = 0
  for (const line of trace.split("\n")) {
    const [, edge, name] = marker.exec(line) ?? []
    if (edge === "begin") {
      kind = name
      syncs = 0
      diskBytes = 0
    } else if (edge === "end" && kind !== undefined) {
      counts[kind] = { syncs, diskBytes }
      kind = undefined
    }
    if (sync.test(line)) syncs++
    diskBytes += Number(writing.exec(line)?.[1] ?? 0)
  }
  return counts
}
