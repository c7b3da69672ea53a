/**
 * Lists contexts whose tokens are kept under test/golden, by format. Clients hold such tokens: they
 * may be added to, never changed.
 */
import { createSecretKey } from "node:crypto"
import { type CausalContext, nothing, tokenKey } from "../../../src/core/clock/CausalContext.ts"
import type { TokenScope } from "../../../src/core/clock/CausalContext.ts"

/** Where all of them are valid. */
export const goldenScope: TokenScope = {
  cluster: "everwrite",
  bucket: "carts",
  key: { partition: "salice", sort: "s1" },
  keys: [tokenKey(createSecretKey(Buffer.alloc(32, 1)))]
}

const vector = new Map([["a.0mi8dfxmoabcdef.1", 300], ["b.0mi8dfxmoabcdef.2", 2]])
const stamp = 1_763_700_000_000_001

export const goldenContexts: Readonly<Record<string, CausalContext>> = {
  nothing,
  siblings: { vector, stamp: 0 },
  stamped: { vector, stamp },
  unshown: { vector, stamp, unshown: new Map([["c.0mi8dfxmoabcdef.1z", 2 ** 53 - 1]]) }
}
