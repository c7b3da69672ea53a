/**
 * Describes work that ends once, in a value or an error. The Effect client and the Promise client
 * are both made from it, so that neither pays for the other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import * as TraceParent from "../core/model/TraceParent.ts"

/** Ends a task at once, with an error that says what is known; nothing where it has ended. */
export type Cancel = () => void

/**
 * Calls back once: with a value, with an error, or, where the application's own code threw on the
 * way (the function given to `update`), with the value thrown. It returns how to cancel it; nothing
 * where it has ended already, or cannot be. `trace` is the span that its requests belong to.
 */
export type Task<A, E> = (
  succeed: (value: A) => void,
  fail: (error: E) => void,
  die: (thrown: unknown) => void,
  trace?: TraceParent.TraceParent
) => Cancel | void

/** The task that ends in `f` of the value. */
export const map =
  <A, B, E>(task: Task<A, E>, f: (value: A) => B): Task<B, E> => (succeed, fail, die, trace) =>
    task(
      (value) => {
        let mapped: B
        try {
          mapped = f(value)
        } catch (thrown) {
          return die(thrown)
        }
        succeed(mapped)
      },
      fail,
      die,
      trace
    )

/** Runs `next` on the value; one after the other. */
export const andThen = <A, B, E>(task: Task<A, E>, next: (value: A) => Task<B, E>): Task<B, E> =>
(
  succeed,
  fail,
  die,
  trace
) => {
  let second: Cancel | void
  const first = task(
    (value) => {
      let following: Task<B, E>
      try {
        following = next(value)
      } catch (thrown) {
        return die(thrown)
      }
      second = following(succeed, fail, die, trace)
    },
    fail,
    die,
    trace
  )
  // The first has ended where there is a second, and cancels nothing.
  return () => {
    first?.()
    second?.()
  }
}

/** Throws on: for callers without application code of their own. */
export const rethrow = (thrown: unknown): never => {
  throw thrown
}

/** The values of all tasks in order, at most `limit` of them under way. Ends at the first error. */
export const all =
  <A, E>(tasks: ReadonlyArray<Task<A, E>>, limit: number): Task<ReadonlyArray<A>, E> =>
  (done, fail, die, trace) => {
    const values: Array<A> = []
    const cancels = new Set<Cancel>()
    values.length = tasks.length
    let next = 0
    let underWay = 0
    let left = tasks.length
    let starting = false
    const end = <B>(report: (value: B) => void) => (value: B) => {
      if (left <= 0) return
      left = -1
      report(value)
    }
    const start = () => {
      // A loop, because tasks that answer at once would start one another without end.
      if (starting) return
      starting = true
      while (next < tasks.length && underWay < limit) {
        if (left <= 0) break
        const index = next++
        underWay++
        let cancel: Cancel | void
        const over = () => {
          if (cancel !== undefined) cancels.delete(cancel)
          underWay--
        }
        cancel = tasks[index]!(
          (value) => {
            values[index] = value
            over()
            if (--left === 0) done(values)
            else start()
          },
          end(fail),
          end(die),
          trace
        )
        if (cancel !== undefined) cancels.add(cancel)
      }
      starting = false
    }
    if (left === 0) done(values)
    else start()
    return () => {
      // One that ends well all the same must not begin another.
      next = tasks.length
      for (const cancel of cancels) cancel()
    }
  }

const started = <A, E>(task: Task<A, E>, trace: TraceParent.TraceParent | undefined) =>
  Effect.callback<A, E>((resume) => {
    const cancel = task(
      (value) => resume(Effect.succeed(value)),
      (error) => resume(Effect.fail(error)),
      (thrown) => resume(Effect.die(thrown)),
      trace
    )
    return cancel === undefined ? undefined : Effect.sync(cancel)
  })

/** The span that a program is in, where it has a tracer of its own. */
const traceIn = (context: Context.Context<never>): TraceParent.TraceParent | undefined => {
  if (Context.get(context, Tracer.Tracer) === Tracer.nativeTracer) return undefined
  const span = Context.getOption(context, Tracer.ParentSpan)
  return span._tag === "None" ? undefined : TraceParent.write(span.value)
}

/** The task as an effect, whose requests belong to the span that the effect is in. */
export const toEffect = <A, E>(task: Task<A, E>): Effect.Effect<A, E> =>
  Effect.contextWith((context: Context.Context<never>) => started(task, traceIn(context)))

export const toPromise = <A, E>(task: Task<A, E>): Promise<A> =>
  new Promise((resolve, reject) => task(resolve, reject, reject))
