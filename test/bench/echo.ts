/**
 * Sends every message back to where its sender says: the other end of the NATS floor.
 */
import { connect } from "@nats-io/transport-node"

const client = await connect({ servers: process.argv[2]! })
client.subscribe("bench.there", {
  callback: (_error, message) => {
    message.respond(message.data)
  }
})
await client.flush()
process.send?.("ready")
