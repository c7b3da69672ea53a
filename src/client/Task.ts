/**
 * Describes work that ends once, in a value or an error: what the Effect client and the Promise
 * client are both made from, so that neither pays for the other.
 */
import * as Effect from "effect/Effect"

export type Task<A, E> = (succeed: (value: A) => void, fail: (error: E) => void) => void

export const succeed = <A>(value: A): Task<A, never> => (done) => done(value)

export const failed = <E>(error: E): Task<never, E> => (_done, fail) => fail(error)

export const map = <A, B, E>(task: Task<A, E>, f: (value: A) => B): Task<B, E> => (done, fail) =>
  task((value) => done(f(value)), fail)

/** Runs `next` on the value; one after the other. */
export const andThen =
  <A, B, E>(task: Task<A, E>, next: (value: A) => Task<B, E>): Task<B, E> => (done, fail) =>
    task((value) => next(value)(done, fail), fail)

/** `make`, with an error of the given kind that it throws turned into the task's error. */
export const attempt = <A, E>(
  make: () => Task<A, E>,
  caught: (thrown: unknown) => E | undefined
): Task<A, E> =>
(done, fail) => {
  let task: Task<A, E>
  try {
    task = make()
  } catch (thrown) {
    const error = caught(thrown)
    if (error === undefined) throw thrown
    return fail(error)
  }
  task(done, fail)
}

/** The values of all tasks in order, at most `limit` of them under way. Ends at the first error. */
export const all = <A, E>(
  tasks: ReadonlyArray<Task<A, E>>,
  limit: number
): Task<ReadonlyArray<A>, E> =>
(done, fail) => {
  const values: Array<A> = []
  values.length = tasks.length
  let next = 0
  let left = tasks.length
  let ended = false
  if (left === 0) return done([])
  const start = () => {
    const index = next++
    const task = tasks[index]
    if (task === undefined || ended) return
    task((value) => {
      values[index] = value
      if (--left === 0) done(values)
      else start()
    }, (error) => {
      if (ended) return
      ended = true
      fail(error)
    })
  }
  for (let i = 0; i < Math.min(limit, tasks.length); i++) start()
}

export const toEffect = <A, E>(task: Task<A, E>): Effect.Effect<A, E> =>
  Effect.callback<A, E>((resume) =>
    task((value) => resume(Effect.succeed(value)), (error) => resume(Effect.fail(error)))
  )

export const toPromise = <A, E>(task: Task<A, E>): Promise<A> => new Promise(task)
