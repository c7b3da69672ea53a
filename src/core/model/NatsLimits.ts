/**
 * Lists the limits of the connections to the brokers, and of the embedded broker: unit, formula,
 * reason, and the value for a local network.
 */

const mebibyte = 2 ** 20

/** The connection to the brokers. */
export const lanNats = {
  /**
   * A broker that answers nothing is given up after `pingIntervalMillis * (pingsUnanswered + 1)`:
   * 3 s. The client's own default, 2 minutes, would lose everything published in that time.
   */
  pingIntervalMillis: 1_000,
  pingsUnanswered: 2,
  /** One attempt to connect. With the wait below, under the 2 s in which a cluster is back. */
  connectTimeoutMillis: 1_500,
  /** Between attempts, plus up to as much again at random. */
  reconnectWaitMillis: 100,
  /** How long a flush waits for the broker, at the start and at the end of a node. */
  flushTimeoutMillis: 2_000,
  /**
   * Different errors of the broker that are told for each connection. Those of its own subjects
   * and some more; clients can cause any number.
   */
  toldMax: 100,
  /** How long closing waits for what was published; then it is lost. */
  drainTimeoutMillis: 2_000,
  /**
   * Bytes published and not known to have reached the broker. Above it messages are dropped, so
   * it must hold what is published in one round trip: 8 MiB is 80 MB/s at 100 ms.
   */
  waitingBytesMax: 8 * mebibyte,
  /**
   * The part of these bytes that answers to clients may take, so that clients who read nothing
   * leave the rest to the other nodes. At least four messages of max_payload; more leaves less
   * to nodes.
   */
  waitingAnswerBytesMax: 6 * mebibyte,
  /** Bytes between two questions to the broker how far it is; a few for each waitingBytesMax. */
  probeBytes: 64 * 1024,
  /**
   * An answer to a client from so many bytes takes a connection of its own. Above what most
   * documents and batches take, since a second connection costs a write to its socket; the fewer
   * bytes, the less a client that does not read can hold up on the common connection.
   */
  largeAnswerBytes: 64 * 1024,
  /**
   * How long all answers to an address take that connection after a large one: a small answer is
   * held up as well as a large one, and all that follows. Above nats-server's longest stall, 1 s,
   * and its writeDeadlineMillis.
   */
  apartMillis: 5_000,
  /** Such addresses, 200 bytes each; beyond it the oldest counts no more. */
  apartAddressesMax: 1_000,
  /**
   * How long reads are refused to an address to which nobody is subscribed. As long as a client
   * takes to connect again, which then finds its answers at other nodes meanwhile.
   */
  goneMillis: 1_000
}

/** The embedded broker: as nats-server, but for the pings (2 minutes there) and connections. */
export const lanBroker = {
  /** Bytes of the largest message. */
  maxPayload: mebibyte,
  /** Bytes that a client may leave untaken before it is cut off. */
  waitingBytesMax: 64 * mebibyte,
  /** Bytes of a line of the protocol; a longer one ends its connection. */
  controlLineBytesMax: 4096,
  /** A client that answers none of `pingsUnanswered` pings in a row is dead. */
  pingIntervalMillis: 10_000,
  pingsUnanswered: 2,
  connectionsMax: 1024,
  /** Bytes that wait for the end of the turn; above it the socket is written to at once. */
  gatheredBytesMax: 256 * 1024,
  /** Bytes of the blocks that lines and small bodies are copied into, and of a small body. */
  blockBytes: 64 * 1024,
  copiedBytesMax: 16 * 1024
}

export interface NatsLimits extends Readonly<typeof lanNats> {}
export interface BrokerLimits extends Readonly<typeof lanBroker> {}
