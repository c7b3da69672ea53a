/**
 * Describes the history of one document: its operations, and which of them each had seen.
 *
 * A specification is the view as a function of this history alone. It knows nothing of dots, deltas
 * or joins, so an implementation that agrees with it on every history is right.
 *
 * @see AntidoteDB/antidote_crdt, `test/crdt_properties.erl`, where the idea comes from
 */

/** A set of operations, as bits: a history has at most `operationsMax`. */
export type Mask = number

export const operationsMax = 30

/** One operation that was carried out. */
export interface Happened<Change> {
  readonly bit: Mask
  /** The replica that coordinated it; a replica that forgets comes back as another. */
  readonly actor: string
  /** Its place among the operations of its actor. */
  readonly counter: number
  readonly change: Change
  /** The operations that its coordinator had seen. */
  readonly local: Mask
  /**
   * The operations that its client had seen, for each view that it had read; none without a
   * context.
   */
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

/** The operations in a client's context; undefined without one. */
export const client = ({ read }: { readonly read: ReadonlyArray<Mask> }): Mask | undefined =>
  read.length === 0 ? undefined : read.reduce((one, two) => one | two)

/** The operations that a removal removes: those in its client's context, or all there were. */
export const observed = (happened: Happened<unknown>): Mask => client(happened) ?? happened.local

/**
 * The operations that a replacing write replaces: those its client and its coordinator had seen.
 */
export const known = (happened: Happened<unknown>): Mask => happened.local | (client(happened) ?? 0)

/** Orders by actor, then counter, as ties break everywhere. */
export const compare = (left: Happened<unknown>, right: Happened<unknown>): number =>
  left.actor < right.actor ? -1 : left.actor > right.actor ? 1 : left.counter - right.counter
