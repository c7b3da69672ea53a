/**
 * Sends a request that its caller can give up: by the signal that came with it, or by the cancel
 * that is returned. It is answered once, at once, whether or not its backend can end it.
 */
import { Cancelled } from "../core/model/StoreError.ts"
import type { Runtime } from "../core/Runtime.ts"
import type { Backend, BackendRequest, BackendRespond } from "./Backend.ts"
import type { Cancel } from "./Task.ts"

export const cancellable = (
  backend: Backend,
  request: BackendRequest,
  signal: AbortSignal | undefined,
  respond: BackendRespond
): Cancel | void => {
  if (signal?.aborted === true) return respond(new Cancelled({ mayHaveApplied: false }))
  let hasEnded = false
  const end: BackendRespond = (outcome) => {
    if (hasEnded) return
    hasEnded = true
    signal?.removeEventListener("abort", cancel)
    respond(outcome)
  }
  let stop: Cancel | void
  const cancel = (): void => {
    if (hasEnded) return
    stop?.()
    // A backend in this process carries out a write that it was given.
    end(new Cancelled({ mayHaveApplied: request.action === "write" }))
  }
  signal?.addEventListener("abort", cancel, { once: true })
  stop = backend.request(request, end)
  return cancel
}

/** A pause, which ends by itself or by `resume`; after `stop` it does nothing more. */
export interface Paused {
  readonly resume: () => void
  readonly stop: () => void
}

/** Waits for a while; an aborted signal ends the pause, for the next attempt to see it. */
export const pause = (
  options: {
    readonly runtime: Pick<Runtime, "after">
    readonly millis: number
    readonly signal: AbortSignal | undefined
  },
  ended: () => void
): Paused => {
  const { millis, runtime, signal } = options
  const resume = (): void => {
    stop()
    ended()
  }
  const clear = runtime.after(millis, resume)
  const stop = (): void => {
    clear()
    signal?.removeEventListener("abort", resume)
  }
  signal?.addEventListener("abort", resume, { once: true })
  return { resume, stop }
}
