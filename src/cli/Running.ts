/**
 * Keeps a process running until it is told to stop, by a signal or by a key.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

const signals = ["SIGINT", "SIGTERM"] as const

/**
 * Listens for the first signal to stop: the value waits for it. A second one ends the process at
 * once, as a crash would, by which a node loses nothing that it promised to keep.
 */
export const stopSignal = Effect.acquireRelease(
  Effect.sync(() => {
    const told = Deferred.makeUnsafe<void>()
    const ignore = () => {
      for (const signal of signals) process.off(signal, stop)
    }
    const stop = () => {
      ignore()
      Deferred.doneUnsafe(told, Effect.void)
    }
    for (const signal of signals) process.on(signal, stop)
    return { told, ignore }
  }),
  ({ ignore }) => Effect.sync(ignore)
).pipe(Effect.map(({ told }) => Deferred.await(told)))

const interrupt = "\u0003"

/** Begins what a terminal sends for an arrow or another key without a character. */
const escape = "\u001b"

/** The keys that are pressed; Ctrl-C, which a raw terminal hides, is `q`. */
export const keys = Effect.acquireRelease(
  Effect.gen(function*() {
    const { stdin } = process
    const pressed = yield* Queue.unbounded<string>()
    const take = (data: Buffer) => {
      const text = data.toString()
      for (const key of text.startsWith(escape) ? [text] : text) {
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
