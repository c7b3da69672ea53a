/**
 * Makes the keys under which a cluster's nodes seal the contexts that clients hold, so that any
 * node trusts the contexts that any other node issued, and no one else can forge one.
 */
import * as Redacted from "effect/Redacted"
import { createHash, createHmac, createSecretKey } from "node:crypto"
import { type TokenKey, tokenKey } from "../core/clock/CausalContext.ts"
import type { ClusterKeys } from "../core/clock/ClusterKeys.ts"
import type { ClusterName } from "../core/model/Names.ts"

/** For development: keeps contexts of other clusters out, and no attacker who knows the name. */
export const derived = (cluster: ClusterName): Redacted.Redacted =>
  Redacted.make(createHash("sha256").update(`everwrite context ${cluster}`).digest("hex"))

export interface ClusterSecrets {
  readonly current: Redacted.Redacted
  readonly previous?: Redacted.Redacted | undefined
}

const toKey = (secret: Redacted.Redacted): TokenKey =>
  tokenKey(createSecretKey(Buffer.from(Redacted.value(secret))))

export const toKeys = ({ current, previous }: ClusterSecrets): ClusterKeys =>
  previous === undefined
    ? { current: toKey(current) }
    : { current: toKey(current), previous: toKey(previous) }

const keyIdLength = 16

/**
 * Sixteen hexadecimal digits that name a key and tell nothing about it: nodes tell by them that
 * they have different keys.
 */
export const keyIdOf = ({ key }: TokenKey): string => {
  const digits = createHmac("sha256", key).update("everwrite key id").digest("hex")
  return digits.slice(0, keyIdLength)
}
