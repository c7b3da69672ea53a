/**
 * Says whether a replica has all that it ever acknowledged of a document, as it says itself in its
 * answers. Its store is judged as a whole, and a document whose damaged row was replaced alone.
 */

/**
 * `complete`: it has all. `unsure`: it started, and not every other member has confirmed yet that
 * it lost nothing. `incomplete`: it is new, was wiped, or lost data, and was not filled since.
 */
export type Completeness = "complete" | "unsure" | "incomplete"

/** In the order of their numbers in messages; the first is the safe one. */
export const completenesses: ReadonlyArray<Completeness> = ["incomplete", "unsure", "complete"]
