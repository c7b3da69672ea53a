/**
 * Describes what happened to one document: its operations, and which of them each had seen.
 *
 * A specification says what a reader gets as a function of this alone. It knows nothing of dots,
 * deltas or joins, so whatever agrees with it on every history is right.
 *
 * @see AntidoteDB/antidote_crdt, `test/crdt_properties.erl`, where the idea comes from
 */

/** A set of operations, as bits: a history has at most `operationsMax`. */
export type Mask = number

export const operationsMax = 30

/** One operation that was carried out. */
export interface Happened<Change> {
  readonly bit: Mask
  /** Who coordinated it; a replica that forgets comes back as another. */
  readonly actor: string
  /** Its place among the operations of its actor. */
  readonly counter: number
  readonly change: Change
  /** What its coordinator had seen. */
  readonly local: Mask
  /** What its client said it had seen, for each view that it had read; none if it said nothing. */
  readonly read: ReadonlyArray<Mask>
  /** Milliseconds since 1970, by the coordinator's clock. */
  readonly nowMillis: number
}

/** The operations of `history` that are in `mask`. */
export const within = <H extends Happened<unknown>>(
  history: ReadonlyArray<H>,
  mask: Mask
): ReadonlyArray<H> => history.filter(({ bit }) => (bit & mask) !== 0)

export const isIn = (happened: { readonly bit: Mask }, mask: Mask): boolean =>
  (happened.bit & mask) !== 0

export const covers = (mask: Mask, other: Mask): boolean => (other & ~mask) === 0

/** What a client said it had seen; undefined if it said nothing. */
export const client = ({ read }: { readonly read: ReadonlyArray<Mask> }): Mask | undefined =>
  read.length === 0 ? undefined : read.reduce((one, two) => one | two)

/** What an operation had seen that removes what it saw: what its client said, or all there was. */
export const observed = (happened: Happened<unknown>): Mask => client(happened) ?? happened.local

/** What an operation had seen that replaces what it knows of: its client and its coordinator. */
export const known = (happened: Happened<unknown>): Mask => happened.local | (client(happened) ?? 0)

/** Orders by actor, then counter, as ties break everywhere. */
export const compare = (left: Happened<unknown>, right: Happened<unknown>): number =>
  left.actor < right.actor ? -1 : left.actor > right.actor ? 1 : left.counter - right.counter
