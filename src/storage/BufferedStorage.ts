/**
 * Answers as the storage service: what waits in the queue first, what the disk holds second.
 */
import type { Batch } from "./Committer.ts"
import type { CommitQueue } from "./CommitQueue.ts"
import { compareKeys } from "./KeyOrder.ts"
import type { Reader } from "./Reader.ts"
import type { RowKey, StorageService } from "./Storage.ts"

const nothing: Batch = { changes: [], facts: [] }

export const makeBufferedStorage = (reader: Reader, queue: CommitQueue): StorageService => ({
  read: (key) => reader.read(key, queue.pending.overlay(key)),
  write: (change, done) => queue.write({ changes: [change], facts: [] }, done),
  writeAll: (changes, done) => queue.write({ changes, facts: [] }, done),
  barrier: (done) => queue.isIdle ? done(undefined) : queue.write(nothing, done),
  scan: ({ partition, after, limit }) => {
    const waiting = queue.pending.keysAfter(partition, after)
    const found: Array<RowKey> = []
    let passed = 0
    let at = after
    while (found.length < limit) {
      const pending = waiting[passed]
      const stored = reader.keyAfter(partition, at)
      const isPending = stored === undefined
        || (pending !== undefined && compareKeys(pending.key, stored) <= 0)
      const first = isPending ? pending : { key: stored, present: true }
      if (first === undefined) break
      if (isPending) passed++
      if (first.present) found.push(first.key)
      at = first.key
    }
    return found
  },
  readFact: (name) => queue.pending.fact(name) ?? reader.fact(name),
  writeFact: (name, value, done) => queue.write({ changes: [], facts: [{ name, value }] }, done),
  healthy: () => queue.healthy,
  stats: () => ({ ...queue.stats, damaged: reader.damaged })
})
