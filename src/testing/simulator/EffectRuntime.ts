/**
 * Runs Effect programs on a simulated runtime: everything in Effect that is not determined goes
 * through three references, a scheduler, a clock and a source of chance, and each has its place in
 * a `Runtime`. Promises never resume here: a program that awaits one does not end.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as References from "effect/References"
import type { Scheduler } from "effect/Scheduler"
import type { Runtime } from "../../core/Runtime.ts"

const nanosInMilli = 1e6

const clockOf = (runtime: Runtime): Clock.Clock => {
  const millis = () => runtime.now()
  const nanos = () => BigInt(Math.round(runtime.now() * nanosInMilli))
  const monotonic = () => BigInt(Math.round(runtime.elapsed() * nanosInMilli))
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => {
      const sleepMillis = Duration.toMillis(duration)
      if (!Number.isFinite(sleepMillis)) return Effect.never
      return Effect.callback<void>((resume) => {
        const cancel = runtime.after(sleepMillis, () => resume(Effect.void))
        return Effect.sync(cancel)
      })
    }
  }
}

const randomOf = (runtime: Runtime): (typeof Random.Random)["Service"] => ({
  nextDoubleUnsafe: runtime.random,
  nextIntUnsafe: () => Math.floor((2 * runtime.random() - 1) * Number.MAX_SAFE_INTEGER)
})

const schedulerOf = (runtime: Runtime, operationsMax: number): Scheduler => {
  const dispatcher = { scheduleTask: runtime.endOfTurn, flush: () => {} }
  return {
    executionMode: "async",
    shouldYield: ({ currentOpCount }) => currentOpCount >= operationsMax,
    makeDispatcher: () => dispatcher
  }
}

/**
 * Starts a program on a runtime. It goes on when the runtime does; its fiber's `pollUnsafe` says
 * when it has ended. Fewer operations without a yield let more events interleave.
 */
export const fork = <A, E>(
  runtime: Runtime,
  program: Effect.Effect<A, E>,
  options: { readonly operationsMax?: number } = {}
): Fiber.Fiber<A, E> =>
  Effect.runFork(
    program.pipe(
      Effect.provideService(Clock.Clock, clockOf(runtime)),
      Effect.provideService(Random.Random, randomOf(runtime)),
      Effect.provideService(References.TracerEnabled, false)
    ),
    { scheduler: schedulerOf(runtime, options.operationsMax ?? 2048) }
  )
