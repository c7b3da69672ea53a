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
  toldStoresMax: 1_024,
  /** How often a node gossips with one other, by chance. Less costs more messages. */
  gossipMillis: 1_000,
  /**
   * Bytes of gossip that a node sends a second, each message with the header of its frame; after a
   * quiet second twice as many. With pings, their answers and greetings, it sends less than 4 KiB a
   * second over ten seconds (`test/gossip/Sizes.test.ts`); in single seconds more, as after a
   * death, and while many start together (`test/bench/gossip.ts`).
   */
  gossipBytesPerSecond: 2_048,
  /**
   * Bytes of one message of gossip: ten members, or hashes of 2,000. Less than half of
   * gossipBytesPerSecond, since half is kept for comparisons.
   */
  gossipMessageBytesMax: 900,
  /** Others that are told at once of something new. With 3, 1,000 nodes know it after 7 steps. */
  gossipFanOut: 3,
  /** Between two such tellings: news that come together travel together. Some round trips. */
  gossipAtOnceMillis: 50,
  /**
   * How often a node pings another, in turn, and one more that has said nothing for that long.
   * Three of these, and suspicionMinMillis, are how long a dead node is believed up.
   */
  pingMillis: 500,
  /**
   * How long a ping may be on its way until others are asked to ping the node. Some round trips:
   * less asks them for nothing, more leaves them less time before the ping has failed.
   */
  ackMillis: 200,
  /** Others that are asked. Each of them alone makes up for a link that is cut. */
  pingRelays: 3,
  /** Pings for others under way, 100 bytes each; more are not begun. */
  pingsForOthersMax: 256,
  /**
   * How long a suspect may take to refute a suspicion that all share. Above the longest pause of a
   * process; with the time until it is suspected, the time in which a dead node is noticed.
   */
  suspicionMinMillis: 1_000,
  /** The same for a suspicion that one node alone has: it may be the one whose link is cut. */
  suspicionMaxMillis: 1_500,
  /**
   * By how many times a node that was slow lately waits longer for others, less one. More believes
   * dead nodes up for longer while this one has too much to do.
   */
  healthMax: 3
}
