/**
 * Runs a NATS broker inside this process, for `everwrite dev` and for tests.
 *
 * It speaks core NATS (subjects, wildcards, queue groups, headers, "no responders") to unmodified
 * clients, on loopback only: it has no accounts, no TLS and no cluster, and says so in its name. A
 * node can be cut off by its connection's name, to show the effect of a network partition.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer, isIPv4, type Server, type Socket } from "node:net"
import { invariant } from "../../core/Invariant.ts"
import { type BrokerLimits, lan } from "../../core/model/Limits.ts"
import { urlHost } from "../../core/model/UrlHost.ts"
import { BrokerConnection } from "./BrokerConnection.ts"
import { MessageRouter } from "./MessageRouter.ts"

/** The limits that are not the usual ones. */
type OwnLimits = { readonly [Name in keyof BrokerLimits]?: BrokerLimits[Name] | undefined }

export interface BrokerOptions extends OwnLimits {
  /** 0, the default, takes any free port. */
  readonly port?: number | undefined
  /** A loopback address; `127.0.0.1` by default. */
  readonly host?: string | undefined
}

export interface BrokerStats {
  readonly connections: number
  /** Clients cut off because they did not take their messages. */
  readonly slowConsumers: number
}

export interface Broker {
  readonly url: string
  readonly port: number
  /**
   * Cuts off the clients with this connection name, now and when they come back: they stay
   * connected, but no message passes between them and others.
   */
  readonly isolate: (name: string) => void
  readonly heal: (name: string) => void
  readonly stats: () => BrokerStats
  readonly close: () => Promise<void>
}

/** The embedded broker of this process. */
export class EmbeddedBroker
  extends Context.Service<EmbeddedBroker, Broker>()("everwrite/transport/EmbeddedBroker")
{}

/** The broker could not listen: the address is not loopback, or in use, or refused otherwise. */
export class BrokerUnavailable extends Schema.TaggedError<BrokerUnavailable>()(
  "BrokerUnavailable",
  {
    address: Schema.String,
    kind: Schema.Literals(["not-loopback", "in-use", "failed"]),
    reason: Schema.String
  }
) {
  override get message(): string {
    return `no broker on ${this.address}: ${this.reason}`
  }
}

const limitsOf = (options: BrokerOptions): BrokerLimits => {
  const usual = lan.broker
  return {
    maxPayload: options.maxPayload ?? usual.maxPayload,
    waitingBytesMax: options.waitingBytesMax ?? usual.waitingBytesMax,
    controlLineBytesMax: options.controlLineBytesMax ?? usual.controlLineBytesMax,
    pingIntervalMillis: options.pingIntervalMillis ?? usual.pingIntervalMillis,
    pingsUnanswered: options.pingsUnanswered ?? usual.pingsUnanswered,
    connectionsMax: options.connectionsMax ?? usual.connectionsMax,
    gatheredBytesMax: options.gatheredBytesMax ?? usual.gatheredBytesMax,
    blockBytes: options.blockBytes ?? usual.blockBytes,
    copiedBytesMax: options.copiedBytesMax ?? usual.copiedBytesMax
  }
}

/** Listens; rejects with `BrokerUnavailable`. */
export const startBroker = async (options: BrokerOptions = {}): Promise<Broker> => {
  const limits = limitsOf(options)
  const exchange = new MessageRouter()
  let accepted = 0
  const server = createServer((socket) => {
    if (exchange.connections.size >= limits.connectionsMax) {
      socket.on("error", () => socket.destroy())
      socket.end("-ERR 'maximum connections exceeded'\r\n", () => socket.destroy())
      return
    }
    const connection = new BrokerConnection(socket, limits, exchange)
    exchange.connections.add(connection)
    connection.say(`INFO ${JSON.stringify(greeting(socket, ++accepted, limits.maxPayload))}`)
  })
  const { host, port } = await listen(server, options)
  const pinging = setInterval(() => {
    for (const connection of exchange.connections) connection.ping()
  }, limits.pingIntervalMillis)
  return {
    url: `nats://${urlHost(host)}:${port}`,
    port,
    isolate: (name) => exchange.isolate(name),
    heal: (name) => exchange.heal(name),
    stats: () => ({
      connections: exchange.connections.size,
      slowConsumers: exchange.slowConsumers
    }),
    close: () => {
      clearInterval(pinging)
      for (const connection of exchange.connections) connection.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    }
  }
}

export const layerBroker = (
  options: BrokerOptions = {}
): Layer.Layer<EmbeddedBroker, BrokerUnavailable> =>
  Layer.effect(
    EmbeddedBroker,
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => startBroker(options),
        catch: (error) => {
          invariant(error instanceof BrokerUnavailable, "starting fails in one way")
          return error
        }
      }),
      (broker) => Effect.promise(() => broker.close())
    )
  )

/** The first message to every client. */
const greeting = (socket: Socket, client: number, maxPayload: number) => ({
  server_id: "EVERWRITE",
  server_name: "everwrite embedded broker, not for production",
  version: "2.10.0",
  proto: 1,
  go: "none",
  host: socket.localAddress,
  port: socket.localPort,
  headers: true,
  max_payload: maxPayload,
  client_id: client,
  client_ip: socket.remoteAddress
})

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))

const listen = (
  server: Server,
  { host = "127.0.0.1", port = 0 }: BrokerOptions
): Promise<{ readonly host: string; readonly port: number }> =>
  new Promise((resolve, reject) => {
    const address = `${host}:${port}`
    if (!isLoopback(host)) {
      const reason = "the embedded broker has no security and listens on loopback only; "
        + "run nats-server to be reached from elsewhere"
      reject(new BrokerUnavailable({ address, kind: "not-loopback", reason }))
      return
    }
    server.on("error", (error) => {
      const inUse = "code" in error && error.code === "EADDRINUSE"
      const kind = inUse ? "in-use" : "failed"
      reject(new BrokerUnavailable({ address, kind, reason: error.message }))
    })
    server.listen(port, host, () => {
      const bound = server.address()
      invariant(typeof bound === "object" && bound !== null, "a listening server has an address")
      resolve({ host, port: bound.port })
    })
  })
