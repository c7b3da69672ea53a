/**
 * Runs a task for each of several items that have nothing to do with each other, so that one that
 * throws costs no other its turn.
 */

/** Throws the first failure once the task has run for all items. */
export const runEach = <A>(items: Iterable<A>, task: (item: A) => void): void => {
  let failed = false
  let first: unknown
  for (const item of items) {
    try {
      task(item)
    } catch (failure) {
      if (!failed) first = failure
      failed = true
    }
  }
  if (failed) throw first
}
