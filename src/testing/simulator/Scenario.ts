/**
 * Defines the buckets and the clients' operations of a simulated cluster: the simulator's own,
 * unless an application brings its own.
 */
import type { Requester } from "../../client/Requester.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import { type AnyEntry, type EntryTask, handlesOf, operate } from "./Operate.ts"
import type { PlannedOperation } from "./Plan.ts"
import { simBuckets } from "./SimBuckets.ts"

/**
 * Carries out the operations of one session. `kept` is the entry that the session remembers of the
 * document.
 */
export type Client = (operation: PlannedOperation, kept: AnyEntry | undefined) => EntryTask

export interface Scenario {
  readonly buckets: ReadonlyArray<Any>
  readonly client: (requester: Requester) => Client
}

export const ownScenario: Scenario = {
  buckets: simBuckets,
  client: (requester) => {
    const handles = handlesOf(requester)
    return (operation, kept) => operate({ handles, requester, operation, kept })
  }
}
