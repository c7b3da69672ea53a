/**
 * Lists how often and how fast replicas are compared and repaired in the background: unit, formula,
 * reason, and the value for any network.
 */

export const lanAntiEntropy = {
  /**
   * How long after one exchange with another node the next one begins, on average; 0 for none, and
   * then no empty store is filled either. With k replicas of a document one that lacks it is found
   * within a few times this. Less costs up to 15 bytes for each partition that two nodes share.
   */
  exchangeMillis: 2_000,
  /**
   * How long a difference has to last before it is repaired. Longer than a write is under way from
   * its first replica to its last, or each exchange would send documents that are coming anyway.
   */
  differenceMillis: 500,
  /** How long an exchange waits for an answer; then it is given up, and the next one goes on. */
  exchangeAnswerMillis: 3_000,
  /**
   * Bytes of documents that exchanges and the delivery of hints move in a second. More fills a
   * replica sooner, and takes as much from clients' requests: at 8 MiB some 30,000 documents of 256
   * bytes.
   */
  repairBytesPerSecond: 8 * 2 ** 20,
  /**
   * The 99th percentile of the time of clients' requests from which on work in the background goes
   * on at its slowest; up to half of it, at its whole rate. Less gives more to clients, and leaves
   * replicas different for longer.
   */
  backgroundTargetMillis: 50,
  /**
   * Percent of its rate that work in the background keeps, however long requests take. Replicas
   * that differ become equal in so many times the usual time at most.
   */
  backgroundPercentMin: 10,
  /** Of which the percentile is taken: half of it at least. Less reacts to single requests. */
  backgroundWindowMillis: 10_000,
  /**
   * Bytes of documents in one message of an exchange, at least one document; the next message
   * follows when these are on disk. More holds up other messages of the connection.
   */
  repairBatchBytes: 64 * 1024,
  /** Hashes of versions in one message of an exchange, 8 bytes each. */
  versionsInMessageMax: 1_024,
  /** Partitions in one message of an exchange, up to 15 bytes each. */
  partitionsInMessageMax: 1_024,
  /**
   * Cells of one sketch, 13 bytes and more each. They tell half as many differences; beyond that
   * the hashes are compared in two halves. More takes longer without a pause.
   */
  sketchCellsMax: 1_024,
  /**
   * How often a partition is compared anew with another owner while a store is filled and its
   * documents change; then all of it is sent. Less sends more of partitions that are written often.
   */
  fillRoundsMax: 4,
  /** Versions of a partition that are compared by one sketch: each takes about a microsecond. */
  sketchVersionsMax: 8_192,
  /** Rows that a node looks at in one step for the hashes of their versions, some 8 µs each. */
  versionRowsMax: 64,
  /** The pause between two such steps, while a starting node hashes the versions that it has. */
  versionPauseMillis: 2,
  /** Exchanges that users asked for, and that wait for others to end; more are refused. */
  syncsWaitingMax: 64,
  /** How long a user waits for these exchanges unless the request says. */
  syncMillis: 10_000,
  /**
   * How long a node takes to read all its rows once, to find those that the disk has changed. Each
   * takes some 20 µs, spread over this time.
   */
  scrubMillis: 7 * 24 * 3_600_000
}

export interface AntiEntropyLimits extends Readonly<typeof lanAntiEntropy> {}
