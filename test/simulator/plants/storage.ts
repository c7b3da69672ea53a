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
      from: "const end = this.#ending(failed, onCommit)\n    this.#breaker.begin()",
      to: "const end = this.#ending(failed, () => {})\n    this.#breaker.begin()"
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
    name: "leaf-not-asked",
    bug: "a write whose last dot is not in memory begins a birth",
    edits: [{
      file: "src/replica/LastIssuedDots.ts",
      from: "return hasLeaf(this.#options.storage, key, context) ? \"by leaf\" : \"not\"",
      to: "return \"not\""
    }]
  }
]
