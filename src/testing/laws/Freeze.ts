/**
 * Freezes values, so that code which changes its inputs is caught in the act.
 */

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * `value` with every array and plain object in it frozen. The contents of Maps, Sets and instances
 * of classes are not frozen: some of those fill caches of their own, and the first two cannot be
 * frozen.
 */
export const freeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value
  if (!Array.isArray(value) && !isPlain(value)) return value
  Object.values(value).forEach(freeze)
  return Object.freeze(value)
}
