/**
 * Lists how a node learns of the other members of its cluster: unit, formula, reason, and the value
 * for a local network.
 */

export const lanMembership = {
  /**
   * How often a node asks the members that have not answered since its start. Some round trips: it
   * is incomplete until all have answered, and more often only sends more to those that are away.
   */
  formAskMillis: 500,
  /**
   * How long a node that is told to form waits for the others. As long as they take to start: those
   * that have not answered by then are not part of the formation.
   */
  formWaitMillis: 5_000,
  /**
   * How often the positions of other nodes are written to disk. They are what tells a node that it
   * lost the end of its log; a crash forgets those of this time, and each writing is a commit.
   */
  toldMillis: 1_000,
  /** Stores whose positions are remembered, 60 bytes each. Members times the stores each had. */
  toldStoresMax: 1_024
}
