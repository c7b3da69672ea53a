/**
 * Sends changed HTTP requests to a node, some behind one another on one connection. Every answer
 * has a status that the interface names, which 500 is not; each connection comes to an end; no turn
 * of the event loop is long. A server that asks for a token changes no document for those who have
 * none.
 */
import { once } from "node:events"
import { connect } from "node:net"
import type { AccessTokens } from "../../src/http/AccessTokens.ts"
import { readTokens } from "../../src/http/AccessTokens.ts"
import { buckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { startServer, type TestServer } from "../http/served.ts"
import { statusesIn } from "../http/wire.ts"
import { Drawing } from "./Drawing.ts"
import { drawHttp } from "./httpRequests.ts"
import { alarmsAt, cpuMillis, diskDigest, type Episode, Fault, Outcomes } from "./judging.ts"
import { turnMillisMax } from "./judging.ts"

/** Those of the interface, of its guard, and of a connection that is no HTTP. */
const documented = new Set([
  100,
  200,
  204,
  302,
  304,
  400,
  401,
  403,
  404,
  405,
  408,
  409,
  413,
  415,
  417,
  421,
  422,
  428,
  431,
  503
])

/** Of a client: the server closes what it cannot answer, much earlier. */
const givenUpMillis = 20_000

/** A client that hears nothing for so long ends its side, by which a part of a request is told. */
const quietMillis = 500

const connectionsMax = 24

/** Is answered last, and has the server close the connection. */
const last = Buffer.from("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")

/** All that came until the server closed the connection. */
const exchange = async (port: number, bytes: Buffer, quiet: number): Promise<string> => {
  const socket = connect({ port, host: "127.0.0.1" })
  let received = ""
  let isClosed = false
  socket.setEncoding("latin1")
  socket.on("data", (text: string) => void (received += text))
  socket.on("error", () => void (isClosed = true))
  socket.on("end", () => void (isClosed = true))
  socket.setTimeout(quiet, () => socket.end())
  const timer = setTimeout(() => socket.destroy(), givenUpMillis)
  socket.write(Buffer.concat([bytes, last]))
  await once(socket, "close").catch(() => undefined)
  clearTimeout(timer)
  if (!isClosed) throw new Fault("the connection never ends", bytes)
  return received
}

/** The longest CPU time of a turn of the event loop while `run` goes on. */
const longestTurnOf = async (run: Promise<unknown>): Promise<number> => {
  let longest = 0
  let last = cpuMillis()
  let isOver = false
  const look = (): void => {
    const now = cpuMillis()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  await run.finally(() => {
    isOver = true
  })
  return longest
}

const send = async (port: number, draw: Drawing, outcomes: Outcomes): Promise<number> => {
  const requests = Array.from({ length: draw.oneIn(4) ? draw.few(8) : 1 }, () => drawHttp(draw))
  const bytes = Buffer.concat(requests)
  const first = statusesIn(await exchange(port, bytes, quietMillis))
  // A server that loses the end of its client forgets what it had not answered: it gets more time.
  const statuses = first.length > 0
    ? first
    : statusesIn(await exchange(port, bytes, 10 * quietMillis))
  const odd = statuses.find((status) => !documented.has(status))
  if (odd !== undefined) throw new Fault(`status ${odd}`, bytes)
  for (const status of statuses) outcomes.add(String(status))
  if (statuses.length === 0) throw new Fault("no answer", bytes)
  return requests.length
}

interface Target {
  readonly cluster: MemoryCluster
  readonly server: TestServer
  readonly failures: ReadonlyArray<string>
}

const startTarget = async (tokens: AccessTokens | undefined): Promise<Target> => {
  const failures: Array<string> = []
  const cluster = await makeCluster({
    nodes: 3,
    buckets,
    onFailure: (failure, where) => void failures.push(`${where}: ${String(failure)}`)
  })
  const server = await startServer({ backend: cluster.backends[0]!, tokens })
  return { cluster, server, failures }
}

const sendAll = async (
  { server }: Target,
  seed: number,
  inputs: number,
  outcomes: Outcomes
): Promise<void> => {
  let sent = 0
  // Each connection draws by itself: their order is not the seed's.
  const work = async (_: unknown, index: number) => {
    for (let n = index; sent < inputs; n += connectionsMax) {
      const count = await send(server.port, new Drawing(seed * 100_003 + n), outcomes)
      sent += count
    }
  }
  await Promise.all(Array.from({ length: connectionsMax }, work))
}

const check = ({ cluster, failures, server }: Target): void => {
  if (server.logged.length > 0) throw new Fault("the server logs a fault", server.logged[0])
  if (failures.length > 0) throw new Fault("an exception", failures[0])
  const raised = cluster.nodes.flatMap(alarmsAt)
  if (raised.length > 0) throw new Fault(`an alarm is raised: ${raised.join()}`)
}

const run = async (target: Target, seed: number, inputs: number): Promise<Episode> => {
  const outcomes = new Outcomes()
  const longestTurn = await longestTurnOf(sendAll(target, seed, inputs, outcomes))
  check(target)
  if (longestTurn > turnMillisMax) throw new Fault(`a turn takes ${longestTurn.toFixed(0)} ms`)
  return { inputs, longestTurn, outcomes: outcomes.counts }
}

const stop = async ({ cluster, server }: Target): Promise<void> => {
  await server.stop()
  cluster.stop()
}

export const fuzzHttp = async (seed: number, inputs: number): Promise<Episode> => {
  const target = await startTarget(undefined)
  try {
    return await run(target, seed, inputs)
  } finally {
    await stop(target)
  }
}

/** No request brings the token, so that none may change a document. */
export const fuzzHttpWithoutToken = async (seed: number, inputs: number): Promise<Episode> => {
  const target = await startTarget(readTokens("a-token-that-no-request-brings"))
  const digests = () => target.cluster.nodes.map(diskDigest).join()
  try {
    const before = digests()
    const episode = await run(target, seed, inputs)
    if (digests() !== before) throw new Fault("a request without the token changed a document")
    return episode
  } finally {
    await stop(target)
  }
}
