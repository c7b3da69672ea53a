/**
 * Lists the intervals by which a node watches over itself and its peers, and tells of it.
 */

/** How a node watches over itself. */
export const lanWatch = {
  /**
   * How often a right that the broker has refused is tried again; it counts as refused for up to
   * twice as long after it was given. Each attempt is a line in the broker's log.
   */
  rightsCheckMillis: 5_000,
  /**
   * A trouble that is counted has ended when the count has not risen for this long; then it is told
   * again when it comes again. Longer than the pauses of one trouble, such as a disk's retries.
   */
  alarmQuietMillis: 60_000,
  /**
   * How long a peer may be unreachable before the operator is told. Several greetings of an idle
   * peer; less tells of pauses that end by themselves.
   */
  peerQuietMillis: 5_000,
  /**
   * Bytes of the row by which a disk is tried that was full or failed: as many as a batch of
   * documents takes, since a disk may have room for a few bytes and no more.
   */
  diskCheckBytes: 64 * 1024,
  /**
   * A storage thread that died this many times within `threadDeathsMillis` is not started again:
   * what ends it that often ends the next one, too. Each start costs an incarnation, and so an
   * actor in the context of every document that is written in it.
   */
  threadDeathsMax: 3,
  threadDeathsMillis: 60_000,
  /** Between two attempts to reach a broker at the start, of a node that waits for one. */
  brokerWaitMillis: 500,
  /**
   * How often a starting node tries a broker that does not answer in `connectTimeoutMillis`, as one
   * does that starts itself or has too much to do. With the waits between them, 20 s; more only
   * tells an operator later that the address leads to no broker.
   */
  brokerTriesMax: 10
}

export interface WatchLimits extends Readonly<typeof lanWatch> {}
