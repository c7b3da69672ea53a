/**
 * Keeps a process running until it is told to stop, by a signal or by a key.
 *
 * Before the first signal is waited for, and after it, a signal ends the process at once: a node
 * that starts or stops has nothing to lose by that.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

const signals = ["SIGINT", "SIGTERM"] as const

/** The first signal to stop. */
export const stopSignal = Effect.callback<void>((resume) => {
  const stop = () => resume(Effect.void)
  for (const signal of signals) process.once(signal, stop)
  return Effect.sync(() => {
    for (const signal of signals) process.off(signal, stop)
  })
})

const interrupt = "\u0003"

/** The keys that are pressed, one character each; Ctrl-C, which a raw terminal hides, is `q`. */
export const keys = Effect.acquireRelease(
  Effect.gen(function*() {
    const { stdin } = process
    const pressed = yield* Queue.unbounded<string>()
    const take = (data: Buffer) => {
      for (const key of data.toString()) {
        Queue.offerUnsafe(pressed, key === interrupt ? "q" : key)
      }
    }
    stdin.setRawMode(true).on("data", take).resume()
    return { pressed, take }
  }),
  ({ take }) =>
    Effect.sync(() => {
      process.stdin.off("data", take).pause().setRawMode(false)
    })
).pipe(Effect.map(({ pressed }) => pressed))
