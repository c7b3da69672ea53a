/**
 * Logs the documents in which a dot has different contents on two replicas: each once, one in a
 * while, and not more than can be remembered. The metric counts all.
 */
import * as Effect from "effect/Effect"
import { decodeFields } from "../core/model/DocumentKey.ts"
import type { ReportLimits } from "../core/model/EdgeLimits.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { Runtime } from "../core/Runtime.ts"

/** The function to call for each conflict. */
export const reportConflicts = Effect.fnUntraced(function*(
  options: ReportLimits & { readonly runtime: Pick<Runtime, "elapsed"> }
) {
  const { conflictPauseMillis, conflictsToldMax, runtime } = options
  const run = Effect.runForkWith(yield* Effect.context())
  const told = new Set<string>()
  let nextAt = -Infinity
  return ({ bucket, partitionKey, sortKey }: RowKey): void => {
    const key = JSON.stringify([partitionKey, sortKey].flatMap(decodeFields))
    const name = `${bucket} ${key}`
    const now = runtime.elapsed()
    if (now < nextAt || told.size >= conflictsToldMax || told.has(name)) return
    told.add(name)
    nextAt = now + conflictPauseMillis
    run(
      Effect.logWarning(
        "a dot of this document has different contents on two replicas; the greater one stays"
      ).pipe(Effect.annotateLogs({ bucket, key }))
    )
  }
})
