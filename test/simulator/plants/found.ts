/**
 * Bugs that the simulator found in the product, planted again: a mended bug must still be found.
 */
import type { Plant } from "./Plant.ts"

export const foundPlants: ReadonlyArray<Plant> = [
  {
    name: "old-element-taken",
    bug: "an old page's element is read with newer ones",
    edits: [{
      file: "src/replica/RowCodec.ts",
      from: "if ((digestOf(whole) ?? held.digest) !== held.digest) {",
      to: "if (held.digest === \"\") {"
    }]
  },
  {
    name: "old-row-continued",
    bug: "a replica counts on in a row that is an old one",
    edits: [{
      file: "src/replica/DotIssuer.ts",
      from: "if (continues && this.#last.mayContinue(key, local)) return local.own",
      to: "if (continues) return local.own"
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
    name: "repeated-message-carried-out",
    bug: "a repeated message is carried out after a refusal",
    edits: [{
      file: "src/coordinator/ForwardDeduplication.ts",
      from: "if (this.#messages.has(name)) {",
      to: "if (name === \"\") {"
    }]
  },
  {
    name: "own-failure-denies-the-write",
    bug: "a write that was sent is denied: own disk failed",
    edits: [{
      file: "src/coordinator/WriteCoordinator.ts",
      from: "mayHaveApplied: outcome.mayHaveApplied || this.#document !== undefined",
      to: "mayHaveApplied: outcome.mayHaveApplied"
    }]
  },
  {
    name: "retry-forwarded-to-another-node",
    bug: "a write sent again may be forwarded to another node",
    edits: [{
      file: "src/coordinator/ForwardedWrites.ts",
      from: "known !== undefined && nodes.includes(known.node)",
      to: "known !== undefined && nodes.length === 0"
    }]
  },
  {
    name: "sendings-counted-apart",
    bug: "one sending's refusal counts for all of them",
    edits: [{
      file: "src/coordinator/ForwardedWrites.ts",
      from: "known?.node === node ? known.sendings : 0",
      to: "0"
    }]
  },
  {
    name: "any-incarnation-asked",
    bug: "a write that names no incarnation is carried out, unnoted",
    edits: [{
      file: "src/coordinator/Coordinator.ts",
      from: "if (to !== replica.incarnation()) return",
      to: "if (to !== \"\" && to !== replica.incarnation()) return"
    }, {
      file: "src/coordinator/Forwarding.ts",
      from: "    forwardedWrites.sent(this.#request, node, incarnation)",
      to: "    if (incarnation !== \"\") forwardedWrites.sent(this.#request, node, incarnation)"
    }]
  }
]
