/**
 * Lists the limits of hinted handoff: unit, formula, reason, and the value for any network.
 */

const mebibyte = 2 ** 20

export const lanHandoff = {
  /**
   * Bytes of the documents that a node keeps for others, with 512 for each hint; it refuses more,
   * and another node is asked. Bytes written a second for the partitions of a node, times the
   * seconds for which one may be away: 1 GiB is 300 kB/s for an hour. Each hint takes 600 bytes of
   * memory.
   */
  hintBytesMax: 1_024 * mebibyte,
  /**
   * How often a node looks whether a target of hints is up again, and sends again what was not
   * confirmed. A few round trips: less asks more often, more delivers later.
   */
  handoffCheckMillis: 250,
  /** How long a delivered document is waited for to be confirmed. The longest sync of a disk. */
  handoffWaitMillis: 1_000,
  /**
   * Documents on their way to one target that are not confirmed. Enough that its disk commits many
   * together; more holds up its own clients.
   */
  handoffsInFlightMax: 64,
  /** Bytes of them, beyond which only one is on its way. A few of the largest messages. */
  handoffBytesInFlightMax: 4 * mebibyte
}

export interface HandoffLimits extends Readonly<typeof lanHandoff> {}
