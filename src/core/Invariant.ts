/**
 * Stops the work where one of our own promises is broken.
 *
 * A failure from outside (a full disk, a lost peer, bad input) is a typed error; a broken promise
 * of ours is this, checked in production too, because the wrong state after it would be stored.
 */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation"
}

/** Fails with an `InvariantViolation` that carries `promise` unless `holds`. */
export function invariant(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new InvariantViolation(promise)
}
