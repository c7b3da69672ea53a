/**
 * Lists how changes travel between nodes, and how many of them a node keeps for those that missed
 * some: unit, formula, reason, and the value for any network.
 */

const mebibyte = 2 ** 20

export const lanDeltas = {
  /**
   * Bytes of a change, in percent of those of its document, up to which the change travels in its
   * place. Below 100, since one whose base is missing costs a round trip: at 50 a document of two
   * small elements is sent as it is.
   */
  deltaPercentMax: 50,
  /**
   * Changes that a node keeps for replicas that lack some, 300 bytes of memory each besides their
   * own. Changes a second of large documents, times the seconds for which a replica may miss some:
   * one that lacks older ones is sent the document.
   */
  recentEditsMax: 16_384,
  /** Bytes of these changes. The same number of changes of 512 bytes each. */
  recentEditsBytesMax: 8 * mebibyte
}
