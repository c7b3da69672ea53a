/**
 * Makes the seals of a cluster's nodes from texts, for tests.
 */
import * as Redacted from "effect/Redacted"
import { toKeys } from "../../src/node/ClusterKey.ts"
import { frameSeal } from "../../src/node/FrameKeys.ts"
import type { FrameSeal } from "../../src/transport/FrameSeal.ts"

/** Under the present key, which also proves frames under the previous one. */
export const sealOf = (current: string, previous?: string): FrameSeal =>
  frameSeal(toKeys({
    current: Redacted.make(current),
    ...previous === undefined ? {} : { previous: Redacted.make(previous) }
  }))

/** Of nodes for which it does not matter. */
export const testSeal = sealOf("of the tests")
