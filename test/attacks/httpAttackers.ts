/**
 * Runs as a thread: many connections that ask for much and take little. Those that the node closes
 * are opened again, a hundred times a second at most.
 */
import { connect, type Socket } from "node:net"
import { workerData } from "node:worker_threads"

export interface Attack {
  readonly kind: string
  readonly connections: number
  readonly port: number
  /** Of the document of 1 MB. */
  readonly path: string
}

const { connections, kind, path, port }: Attack = workerData
const host = "host: localhost"
const get = `GET ${path} HTTP/1.1\r\n${host}\r\n\r\n`
const pipelined = get.repeat(Math.floor(2_900_000 / get.length))
const head = `PUT ${path} HTTP/1.1\r\n${host}\r\ncontent-type: application/json\r\n`
  + "content-length: 1000000\r\n\r\n\""
const stalled = head + "x".repeat(999_990)
const drip = "GET /livez HTTP/1.1\r\n"

const begin = (socket: Socket): void => {
  if (kind === "pipelined, unread" || kind === "pipelined, read slowly") {
    socket.pause()
    socket.write(pipelined)
  }
  if (kind === "stalled bodies") socket.write(stalled)
  if (kind === "dripping") socket.write(drip)
}

const goOn = (socket: Socket): void => {
  if (kind === "dripping") socket.write("x: y\r\n")
  if (kind === "pipelined, read slowly") {
    socket.once("data", () => socket.pause())
    socket.resume()
  }
}

const open = new Set<Socket>()

const openOne = (): void => {
  const socket = connect(port, "127.0.0.1", () => begin(socket))
  socket.on("error", () => {})
  if (!kind.startsWith("pipelined")) socket.resume()
  open.add(socket)
  socket.on("close", () => open.delete(socket))
}

for (let n = 0; n < connections; n++) openOne()
setInterval(() => {
  for (let n = 0; n < 10 && open.size < connections; n++) openOne()
}, 100)
setInterval(() => {
  for (const socket of open) goOn(socket)
}, 500)
