/**
 * Offers the law kit and the simulator to tests with Promises, which reject with the typed error
 * itself.
 */
import * as Effect from "effect/Effect"
import type { Any } from "../core/strategy/Bucket.ts"
import { checkBucket } from "./laws/CheckBucket.ts"
import type { CheckOptions, Report } from "./laws/Law.ts"
import type { SimulateOptions, SimulationReport } from "./simulate/Options.ts"
import { simulate } from "./simulate/Simulate.ts"

/**
 * Checks every law that applies to `bucket`, as `checkBucket` does.
 *
 * **Fails with** `LawViolation`, `LawUndecided`.
 */
export const checkBucketPromise = (bucket: Any, options?: CheckOptions): Promise<Report> =>
  Effect.runPromise(checkBucket(bucket, options))

/**
 * Runs a bucket on simulated clusters under faults, as `simulate` does.
 *
 * **Fails with** `SimulationFailed`, `InvalidSimulation`; with an `AbortError` where the signal was
 * aborted.
 *
 * ```ts
 * await simulatePromise(Carts, { onProgress: ({ done, seeds }) => console.log(done, "of", seeds) })
 * ```
 */
export const simulatePromise = <const B extends Any, Inputs>(
  bucket: B,
  options?: SimulateOptions<B, Inputs>,
  run?: { readonly signal?: AbortSignal }
): Promise<SimulationReport> => Effect.runPromise(simulate(bucket, options), run)
