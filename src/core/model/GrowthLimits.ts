/**
 * Lists how large clients' writes may make a document: unit, formula, reason, and the value for any
 * network. The limits hold for clients' writes alone: a document that is there is replicated and
 * repaired whatever its size.
 *
 * Those of documents are far below what nodes can exchange, since replicas that are cut off from
 * each other may each bring a document up to its limit, and join what they have.
 */

const mebibyte = 2 ** 20

export const lanGrowth = {
  /**
   * Bytes of a document, encoded; a write that would make a larger one is refused. Each write sends
   * the whole document to each replica: at 4 MiB ten writes a second fill a line of 1 Gbit/s. At
   * least the largest value, which is the largest message of a client.
   */
  documentBytesMax: 4 * mebibyte,
  /**
   * Concurrent values in one place. Clients that write at the same time without having read, and
   * some more that their network held up; a client that reads before it writes leaves one. Riak's
   * own limit; each is sent with every read and write.
   */
  siblingsMax: 100,
  /**
   * Elements of sets, entries of maps and fields, all taken together. A write costs what it
   * changes, but a read from the disk takes microseconds for each element, in which its node does
   * nothing else: some 0.4 s at this number, as `test/bench/elements.ts` measures. Less than half
   * of suspectMillis, so that nobody believes the node to be down.
   */
  elementsMax: 100_000,
  /**
   * Actors in a document's history, 40 bytes each in every message that has it, for ever. Starts
   * of its nodes, and failures of their disks, in the time in which the document is written.
   */
  documentActorsMax: 10_000,
  /**
   * Bytes of messages in parts that are on their way to the broker; the next parts wait until it
   * has them. A share of the connection's own waitingBytesMax, so that other messages pass.
   */
  partsInFlightBytesMax: 2 * mebibyte,
  /**
   * Bytes of messages in parts that wait so; beyond it the oldest is given up, and sent again where
   * its request is. One alone is sent whatever its size. The largest document times the nodes that
   * it goes to.
   */
  partsWaitingBytesMax: 64 * mebibyte,
  /**
   * Updates of its own that a node keeps of each counter, 2 to 4 bytes each in every write of it,
   * at least 1. Writes a second to one counter through one node, times the seconds from a client's
   * read to its removal: one that has not seen as many is told to read again.
   */
  counterUpdatesMax: 16
}
