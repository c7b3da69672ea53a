/**
 * Lists how often a node looks how its disk is: unit, formula, reason, and the value for any
 * network.
 */

export const lanDisk = {
  /**
   * How long after a failed commit the disk is tried again. Each attempt that fails costs an
   * incarnation, and so an actor in the context of every document that was sent. Rows that cannot
   * be read to compare replicas, or to know what is kept for others, are tried again after as long,
   * and then after twice the last time.
   */
  diskRetryMillis: 1_000,
  /**
   * How often the storage looks whether its files are still those that it has open, while nothing
   * is committed; each commit looks too. A node that has lost its data says so this much late.
   */
  fileCheckMillis: 1_000
}
