/**
 * Lists how many replicas a read asks at first, when it asks the others, and which answers are
 * kept: unit, formula, reason, and the value for any network.
 */

export const lanReads = {
  /**
   * Reads of 100 that ask every replica at once, and so repair each that is behind; the others ask
   * as many as they need. Until replicas are compared in the background, a document that is read
   * 1,000 times is repaired by 100 of them: more costs more messages, and 0 leaves replicas behind
   * that no read needs to ask.
   */
  readAllPercent: 10,
  /**
   * The least time until a read is late, and asks the replicas that it spared. It is three round
   * trips, as their average is measured, at most the pause before a request is sent again, and half
   * of the read's time. A sweep: less is not noticed, more is added to every read that has asked a
   * node which hangs or died, until that one is suspect.
   */
  lateReadMinMillis: 20,
  /**
   * Characters of a value whose answer is kept with its document in memory, with 0.3 kB besides,
   * until the document changes or leaves the cache. Longer ones save as little as they are rare.
   */
  keptAnswerCharactersMax: 1_024
}

export interface ReadLimits extends Readonly<typeof lanReads> {}
