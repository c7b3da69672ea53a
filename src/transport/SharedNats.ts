/**
 * Uses a connection to NATS that the program has already, beside its own traffic, and leaves it
 * open in the end.
 */
import { type NatsConnection, NatsConnectionImpl } from "@nats-io/transport-node"
import type { NatsLimits } from "../core/model/Limits.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"
import { type NatsTransport, overConnection, type Warn } from "./NatsTransport.ts"

export type { NatsConnection }

/** Throws `InvalidRequest` where it is no connection, or one of another copy of the package. */
export const shareNats = (
  connection: NatsConnection,
  limits: Partial<NatsLimits>,
  warn: Warn
): NatsTransport => {
  if (!(connection instanceof NatsConnectionImpl)) {
    throw new InvalidRequest({
      setting: "connection",
      value: typeof connection,
      expected: "what connect of @nats-io/transport-node gave, of the same copy as everwrite's: "
        + "npm ls @nats-io/transport-node shows the copies"
    })
  }
  const { inboxPrefix } = connection.options
  return overConnection(connection, { ...limits, servers: [], inboxPrefix }, warn)
}
