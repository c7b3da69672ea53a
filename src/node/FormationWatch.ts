/**
 * Tells the operator when this node's store is complete, which members it still awaits, and how
 * much others have still to send of what it lost.
 */
import * as Effect from "effect/Effect"
import type { FillingStatus } from "../anti-entropy/Filling.ts"
import type { NodeCore } from "./NodeCore.ts"

const isOpen = ({ formation }: NodeCore): boolean => {
  const { completeness, own } = formation.status()
  return completeness === "unsure" || own === "new"
}

/** Waits until the store is known to be complete or not; false where that takes too long. */
export const settled = Effect.fnUntraced(function*(core: NodeCore) {
  const { drainPollMillis: pause, formWaitMillis } = core.options.limits
  for (let waited = 0; waited < formWaitMillis && isOpen(core); waited += pause) {
    yield* Effect.sleep(pause)
  }
  return !isOpen(core)
})

/** Logs which members are awaited where that takes long, and in the end that none is. */
export const watchFormation = Effect.fnUntraced(function*(core: NodeCore) {
  const { formAskMillis } = core.options.limits
  if (yield* settled(core)) return
  const { awaited, formed } = core.formation.status()
  yield* Effect.logWarning(
    formed
      ? "strict requests do not count this node until all members have answered"
      : "the cluster has not formed: strict requests are refused until all members have answered, "
        + "or one is started with --form"
  ).pipe(Effect.annotateLogs({ awaited: awaited.join() }))
  while (isOpen(core)) yield* Effect.sleep(formAskMillis)
  const { completeness } = core.formation.status()
  yield* Effect.logInfo(`all members have answered: this store is ${completeness}`)
})

const tell = ({ filled, orphaned, owned, unasked }: FillingStatus) =>
  Effect.logInfo("this store is being filled by the other members").pipe(
    Effect.annotateLogs({ partitions: `${filled} of ${owned}`, orphaned, unasked })
  )

/** Logs how a store that lost something is filled, and that it is complete again. */
export const watchFilling = Effect.fnUntraced(function*(core: NodeCore) {
  const { antiEntropy, formation, options: { limits: { formAskMillis, formWaitMillis } } } = core
  const looksPerTale = Math.ceil(2 * formWaitMillis / formAskMillis)
  for (let looks = 0, wasOn = false, told = -1;; looks++) {
    const filling = antiEntropy.filling()
    if (filling !== undefined && filling.filled !== told && looks % looksPerTale === 0) {
      yield* tell(filling)
      told = filling.filled
    }
    if (wasOn && filling === undefined && formation.completeness() === "complete") {
      yield* Effect.logInfo("this store has been filled, and is complete")
    }
    wasOn = filling !== undefined
    yield* Effect.sleep(formAskMillis)
  }
})
