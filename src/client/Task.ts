/**
 * Describes work that ends once, in a value or an error. The Effect client and the Promise client
 * are both made from it, so that neither pays for the other.
 */
import * as Effect from "effect/Effect"

/**
 * Calls back once: with a value, with an error, or, where the application's own code threw on the
 * way (the function given to `update`), with the value thrown.
 */
export type Task<A, E> = (
  succeed: (value: A) => void,
  fail: (error: E) => void,
  die: (thrown: unknown) => void
) => void

/** The task that ends in `f` of the value. */
export const map =
  <A, B, E>(task: Task<A, E>, f: (value: A) => B): Task<B, E> => (succeed, fail, die) =>
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
      die
    )

/** Runs `next` on the value; one after the other. */
export const andThen =
  <A, B, E>(task: Task<A, E>, next: (value: A) => Task<B, E>): Task<B, E> => (succeed, fail, die) =>
    task(
      (value) => {
        let following: Task<B, E>
        try {
          following = next(value)
        } catch (thrown) {
          return die(thrown)
        }
        following(succeed, fail, die)
      },
      fail,
      die
    )

/** Throws on: for callers without application code of their own. */
export const rethrow = (thrown: unknown): never => {
  throw thrown
}

/** The values of all tasks in order, at most `limit` of them under way. Ends at the first error. */
export const all =
  <A, E>(tasks: ReadonlyArray<Task<A, E>>, limit: number): Task<ReadonlyArray<A>, E> =>
  (done, fail, die) => {
    const values: Array<A> = []
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
        tasks[index]!(
          (value) => {
            values[index] = value
            underWay--
            if (--left === 0) done(values)
            else start()
          },
          end(fail),
          end(die)
        )
      }
      starting = false
    }
    if (left === 0) done(values)
    else start()
  }

export const toEffect = <A, E>(task: Task<A, E>): Effect.Effect<A, E> =>
  Effect.callback<A, E>((resume) =>
    task(
      (value) => resume(Effect.succeed(value)),
      (error) => resume(Effect.fail(error)),
      (thrown) => resume(Effect.die(thrown))
    )
  )

export const toPromise = <A, E>(task: Task<A, E>): Promise<A> =>
  new Promise((resolve, reject) => task(resolve, reject, reject))
