/**
 * Runs three nats-servers as one cluster. Each route between two of them goes through a wire, so
 * that any route can be cut. No server tells clients or servers of the others' addresses: every
 * connection is one that was asked for.
 */
import { freePort, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { pause } from "./pause.ts"
import { makeWire, type Wire } from "../../examples/shopping-carts/wire.ts"

export interface Route {
  /** The indexes of the two servers. */
  readonly between: readonly [number, number]
  readonly wire: Wire
}

export interface Brokers {
  readonly servers: ReadonlyArray<NatsServer>
  readonly routes: ReadonlyArray<Route>
  /** Resolves when each server has routes to the others. */
  readonly joined: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Nothing listens there, so that a route which nobody asked for does not come about. */
const nowhere = "127.0.0.1:9"

const pairs = [[0, 1], [0, 2], [1, 2]] as const

const configOf = (options: {
  readonly clusterPort: number
  readonly monitorPort: number
  readonly name: string
  readonly routes: ReadonlyArray<number>
}): string => {
  const { clusterPort, monitorPort, name, routes } = options
  const urls = routes.map((port) => `nats-route://127.0.0.1:${port}`)
  return `
server_name: ${name}
http: 127.0.0.1:${monitorPort}
cluster {
  name: chaos
  listen: 127.0.0.1:${clusterPort}
  advertise: "${nowhere}"
  no_advertise: true
  routes: [${urls.join(", ")}]
}`
}

/** The servers to which a server has routes. */
const neighbours = async (monitorPort: number): Promise<number> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${monitorPort}/routez`)
    const { routes = [] }: { routes?: ReadonlyArray<{ remote_id: string }> } = JSON.parse(
      await answer.text()
    )
    return new Set(routes.map(({ remote_id: id }) => id)).size
  } catch {
    return 0
  }
}

export const startBrokers = async (): Promise<Brokers> => {
  const clusterPorts = [await freePort(), await freePort(), await freePort()]
  const monitorPorts = [await freePort(), await freePort(), await freePort()]
  const routes: ReadonlyArray<Route> = await Promise.all(
    pairs.map(async (between) => ({ between, wire: await makeWire(clusterPorts[between[1]]!) }))
  )
  const servers: Array<NatsServer> = []
  for (const [i, clusterPort] of clusterPorts.entries()) {
    const asked = routes.filter(({ between: [from] }) => from === i).map(({ wire }) => wire.port)
    const config = { clusterPort, monitorPort: monitorPorts[i]!, name: `b${i + 1}`, routes: asked }
    servers.push(await startNatsServer(configOf(config)))
  }
  const joined = () =>
    until("the nats-servers are one cluster", async () => {
      const counts = await Promise.all(monitorPorts.map(neighbours))
      if (counts.every((count) => count === 2)) return true
      await pause(50)
      return false
    }, { withinMillis: 30_000 })
  const stop = async (): Promise<void> => {
    for (const server of servers) await server.stop()
    for (const { wire } of routes) wire.close()
  }
  await joined()
  return { servers, routes, joined, stop }
}
