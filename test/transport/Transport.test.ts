// Holds the three transports to one contract: in memory, embedded broker, real nats-server.
import { type Broker, startBroker } from "../../src/transport/broker/Broker.ts"
import { makeMemoryBroker } from "../../src/transport/MemoryTransport.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { transportContract, type TransportHarness } from "../contracts/transport.ts"
import { describeWithNats, startNatsServer } from "../tooling/natsServer.ts"
import { liveWorld } from "../tooling/worlds.ts"

transportContract("memory", async () => {
  const broker = makeMemoryBroker(liveWorld)
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

interface RunningBroker {
  readonly url: string
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

const overNats = async (broker: RunningBroker): Promise<TransportHarness> => {
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

const embedded = async (): Promise<RunningBroker> => {
  let broker: Broker = await startBroker()
  const { port, url } = broker
  return {
    url,
    stop: () => broker.close(),
    start: async () => {
      broker = await startBroker({ port })
    }
  }
}

transportContract("the embedded broker", async () => overNats(await embedded()))

describeWithNats("with nats-server", () => {
  transportContract("nats-server", async () => overNats(await startNatsServer()))
})
