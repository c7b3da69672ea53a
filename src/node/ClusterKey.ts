/**
 * Makes the key under which a cluster's nodes seal the contexts that clients hold, so that any
 * node trusts what any other has handed out, and nobody else can make one up.
 */
import * as Redacted from "effect/Redacted"
import { createHash, createSecretKey, type KeyObject } from "node:crypto"
import type { ClusterName } from "../core/model/Names.ts"

/** For a cluster without a secret of its own: keeps contexts of other clusters out, no attacker. */
export const derived = (cluster: ClusterName): Redacted.Redacted =>
  Redacted.make(createHash("sha256").update(`everwrite context ${cluster}`).digest("hex"))

export const toKey = (secret: Redacted.Redacted): KeyObject =>
  createSecretKey(Buffer.from(Redacted.value(secret)))
