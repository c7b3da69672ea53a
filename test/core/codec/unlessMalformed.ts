/**
 * Tells refusals of bytes from all other errors, which no input may cause.
 */
import { Malformed } from "../../../src/core/codec/Bytes.ts"

/** The result of `work`, or undefined where it refuses its input; other errors pass. */
export const unlessMalformed = <A>(work: () => A): A | undefined => {
  try {
    return work()
  } catch (error) {
    if (error instanceof Malformed) return undefined
    throw error
  }
}
