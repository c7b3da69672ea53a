// Holds the three transports to one contract: in memory, embedded broker, real nats-server.
import { makeMemoryBroker } from "../../src/transport/MemoryTransport.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { transportContract, type TransportHarness } from "../contracts/transport.ts"
import {
  describeWithNats,
  type RestartableBroker,
  startEmbedded,
  startNatsServer
} from "../tooling/natsServer.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

transportContract("memory", async () => {
  const broker = makeMemoryBroker(liveRuntime)
  const transports: Array<TransportService> = []
  return {
    connect: async () => {
      const transport = broker.connect()
      transports.push(transport)
      return transport
    },
    stopBroker: async () => transports.forEach((transport) => broker.disconnect(transport)),
    startBroker: async () => transports.forEach((transport) => broker.reconnect(transport)),
    close: async () => undefined
  }
})

const overNats = async (broker: RestartableBroker): Promise<TransportHarness> => {
  const transports: Array<NatsTransport> = []
  return {
    connect: async () => {
      const transport = await connectNats({ servers: broker.url }, () => undefined)
      transports.push(transport)
      return transport
    },
    stopBroker: broker.stop,
    startBroker: broker.start,
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()))
      await broker.stop()
    }
  }
}

transportContract("the embedded broker", async () => overNats(await startEmbedded()))

describeWithNats("with nats-server", () => {
  transportContract("nats-server", async () => overNats(await startNatsServer()))
})
