/**
 * Makes the key under which a cluster's nodes hash the versions of documents, from the cluster's
 * own: so no client can choose documents whose hashes meet.
 */
import type { TokenKey } from "../core/clock/CausalContext.ts"
import type { HashKey } from "../core/anti-entropy/VersionHash.ts"
import { Mac } from "../core/Mac.ts"

const nothing = new Uint8Array(0)

/** 32 bits of a code from a place on. */
const wordAt = (code: string, at: number): number =>
  (code.charCodeAt(at) * 2 ** 24) + (code.charCodeAt(at + 1) << 16)
  + (code.charCodeAt(at + 2) << 8) + code.charCodeAt(at + 3)

/** The key of hashes. */
export const versionKey = ({ key }: TokenKey): HashKey => {
  const code = Mac.derived(key, "everwrite version hashes").of("", nothing)
  return [wordAt(code, 0), wordAt(code, 4)]
}
