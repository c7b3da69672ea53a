/**
 * Lists the limits of the log that the storage commits to: unit, formula, reason, and the value for
 * any network.
 */

export const lanLog = {
  /**
   * Bytes of each of the two logs of the storage. The rows that one holds stay in memory, until
   * they are folded into the tables; a start reads and folds them. More folds a document that is
   * written often less often, and lets commits go on for longer while a slow disk takes a fold; it
   * takes more memory, about four times as much in all, and a longer start.
   */
  logBytesMax: 4 * 2 ** 20,
  /**
   * Bytes of zeros by which a file of the log grows at once. A record within a file is synced
   * sooner than one that makes it longer; more delays the commits that meet a growth.
   */
  logGrowthBytes: 256 * 1024,
  /**
   * Rows that a slice of a fold writes in one transaction: 128 take 1 to 4 ms. More delays the
   * commits that come meanwhile, where one thread does both; fewer cost a transaction each.
   */
  foldRowsMax: 128
}
