/**
 * Bugs in the data that a replica keeps on disk, and in its acknowledgements.
 */
import type { Plant } from "./Plant.ts"

const commits = "src/replica/Commits.ts"

export const storagePlants: ReadonlyArray<Plant> = [
  {
    name: "acknowledged-before-the-sync",
    bug: "a write counts once the disk has been told",
    edits: [{
      file: commits,
      from: `else this.#lost(failure, { failures: commit.failures, incarnation })
      onCommit(failure)`,
      to: "else this.#lost(failure, { failures: commit.failures, incarnation })"
    }, {
      file: commits,
      from: "if (refusal !== undefined) return refusal",
      to: `if (refusal !== undefined) return refusal
    this.#runtime.endOfTurn(() => onCommit(undefined))`
    }]
  },
  {
    name: "probed-for-ever",
    bug: "a disk that failed once is probed for ever",
    edits: [{
      file: "src/replica/DiskBreaker.ts",
      from: "if (this.#failing) this.#triedAt = this.#runtime.elapsed()",
      to: `if (!this.#failing) return
    this.#triedAt = this.#runtime.elapsed()
    const probe = () => {
      const probed = { family: "metadata", key: ["probe"], bytes: new Uint8Array(0) } as const
      this.#storage.write({ documents: [], rows: [probed] }, () => {})
      this.#runtime.after(this.#retryMillis, probe)
    }
    probe()`
    }]
  },
  {
    name: "trial-used-up-by-asking",
    bug: "asking whether to try a disk uses up the trial",
    edits: [{
      file: "src/replica/DiskBreaker.ts",
      from: "return this.#isFit || this.#runtime.elapsed() - this.#triedAt >= this.#retryMillis",
      to: `if (this.#isFit) return true
    if (this.#runtime.elapsed() - this.#triedAt < this.#retryMillis) return false
    this.#triedAt = this.#runtime.elapsed()
    return true`
    }]
  },
  {
    name: "log-not-synced",
    isBelowTheModel: true,
    bug: "a commit counts once its record is written into the log",
    edits: [{
      file: "src/storage/CommitLog.ts",
      from: "this.#file.sync()\n    this.#sizes",
      to: "this.#sizes"
    }]
  },
  {
    name: "fold-ahead-of-the-sync",
    isBelowTheModel: true,
    bug: "rows are folded whose record in the log was not synced",
    edits: [{
      file: "src/storage/CommitLog.ts",
      from: "this.#writeSynced(record)\n    this.#isTainted = false\n    this.#last",
      to: `try {
      this.#writeSynced(record)
    } catch (error) {
      this.#image.keep(record)
      throw error
    }
    this.#isTainted = false
    this.#last`
    }]
  },
  {
    name: "fold-position-ahead-of-its-rows",
    isBelowTheModel: true,
    bug: "the first slice of a fold says that all of it is in the tables",
    edits: [{ file: "src/storage/Fold.ts", from: "if (!isLast) return\n", to: "" }]
  },
  {
    name: "number-given-again",
    isBelowTheModel: true,
    bug: "after a failed group its sequence numbers are given to others",
    edits: [{
      file: "src/storage/SequenceNumbers.ts",
      from: "  next(partition: number): number {",
      to: `  forget(): void {
    this.#given.clear()
  }

  next(partition: number): number {`
    }, {
      file: "src/storage/CommitQueue.ts",
      from: "    this.#failures++\n",
      to: "    this.#failures++\n    this.#numbers.forget()\n"
    }]
  },
  {
    name: "leaf-not-asked",
    bug: "a write whose last dot is not in memory begins a birth",
    edits: [{
      file: "src/replica/LastIssuedDots.ts",
      from: "return hasLeaf(this.#options.storage, key, context) ? \"by leaf\" : \"not\"",
      to: "return \"not\""
    }]
  }
]
