/**
 * Lists the limits of answers to clients over NATS that take several messages: unit, formula,
 * reason, and the value for any network.
 */

const mebibyte = 2 ** 20

/** Of the node that sends them. */
export const lanAnswerParts = {
  /**
   * Size of a set, map or nested document, in characters of its names and values, up to which a
   * write is answered with it; others always are. What a client reads in a round trip anyway: an
   * answer costs its node, the broker and the client the size of the document, whatever the write
   * changed.
   */
  shownBytesMax: 16 * 1024,
  /**
   * Bytes of answers in parts that wait to be sent; beyond it a read is refused, and a write is
   * answered without its value. One client may have as many as are free. The largest document
   * times the clients that read such ones at a time.
   */
  answersWaitingBytesMax: 64 * mebibyte,
  /**
   * How long the parts of an answer may wait after each other before the rest of it is dropped.
   * Twice answerPartsPauseMillis: after that no client waits for it.
   */
  answerStallMillis: 5_000,
  /** How often it is tried again where there is no room for a part. A few round trips. */
  answerRetryMillis: 20,
  /**
   * How long a client is told to wait with a read for whose answer there is no room. A broker takes
   * some MiB in it, 100 MB/s; each further refusal doubles it.
   */
  answerRefusedMillis: 100
}

/** Of the client that puts them together. */
export const lanAnswers = {
  /**
   * Bytes of the largest answer. Beyond the largest document that nodes make of the writes of
   * clients that are cut off from each other; its text is read in one turn, 100 MB/s.
   */
  answerBytesMax: 32 * mebibyte,
  /**
   * Bytes of answers whose parts are not all there; beyond it the oldest is given up, and its
   * request is sent again. The largest answer times the nodes: each sends one at a time.
   */
  answerPartsBytesMax: 128 * mebibyte,
  /**
   * Answers that came whole lately, 100 bytes each: late parts of them begin nothing anew. Answers
   * in parts a second times the pauses below.
   */
  answersFinishedMax: 1_000,
  /** Parts of one answer. answerBytesMax in messages of 1 KiB. */
  answerPartsMax: 32 * 1024,
  /**
   * How long no part of an answer comes before those that are there are given up. Many round trips
   * and turns of the other clients of a node, and time for one more attempt.
   */
  answerPartsPauseMillis: 2_500
}
