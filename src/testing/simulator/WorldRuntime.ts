/**
 * Runs Effect programs in a simulated world: everything in Effect that is not determined goes
 * through three references, a scheduler, a clock and a source of chance, and each has its place
 * in a `World`. Promises never resume here: a program that awaits one does not end.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as References from "effect/References"
import type { Scheduler } from "effect/Scheduler"
import type { World } from "../../core/World.ts"

const nanosInMilli = 1e6

const clockOf = (world: World): Clock.Clock => {
  const millis = () => world.now()
  const nanos = () => BigInt(Math.round(world.now() * nanosInMilli))
  const monotonic = () => BigInt(Math.round(world.elapsed() * nanosInMilli))
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
        const cancel = world.after(sleepMillis, () => resume(Effect.void))
        return Effect.sync(cancel)
      })
    }
  }
}

const randomOf = (world: World): (typeof Random.Random)["Service"] => ({
  nextDoubleUnsafe: world.random,
  nextIntUnsafe: () => Math.floor((2 * world.random() - 1) * Number.MAX_SAFE_INTEGER)
})

const schedulerOf = (world: World, operationsMax: number): Scheduler => {
  const dispatcher = { scheduleTask: world.endOfTurn, flush: () => {} }
  return {
    executionMode: "async",
    shouldYield: ({ currentOpCount }) => currentOpCount >= operationsMax,
    makeDispatcher: () => dispatcher
  }
}

/**
 * Starts a program in a world. It goes on when the world does; its fiber's `pollUnsafe` says when
 * it has ended. Fewer operations without a yield let more of what happens interleave.
 */
export const fork = <A, E>(
  world: World,
  program: Effect.Effect<A, E>,
  options: { readonly operationsMax?: number } = {}
): Fiber.Fiber<A, E> =>
  Effect.runFork(
    program.pipe(
      Effect.provideService(Clock.Clock, clockOf(world)),
      Effect.provideService(Random.Random, randomOf(world)),
      Effect.provideService(References.TracerEnabled, false)
    ),
    { scheduler: schedulerOf(world, options.operationsMax ?? 2048) }
  )
