/**
 * Sends bytes to an HTTP server as no client library would, and reads what comes back as it is.
 */
import { connect, type Socket } from "node:net"

export interface Wire {
  readonly socket: Socket
  /** All that has come, as latin1. */
  readonly received: () => string
  readonly closed: () => boolean
}

export interface WireOptions {
  /** The address of this client: loopback has many. */
  readonly from?: string
  /** Whether it never ends its side, though the server did. */
  readonly isStubborn?: boolean
}

/** A connection that reads all that comes. */
export const openWire = (
  { port }: { readonly port: number },
  { from, isStubborn = false }: WireOptions = {}
): Wire => {
  const local = from === undefined ? {} : { localAddress: from }
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: isStubborn, ...local })
  let received = ""
  let closed = false
  socket.setEncoding("latin1")
  socket.on("data", (text: string) => void (received += text))
  socket.on("error", () => {})
  socket.on("close", () => void (closed = true))
  return { socket, received: () => received, closed: () => closed }
}

/** The statuses of all answers in a text, in order. */
export const statusesIn = (text: string): ReadonlyArray<number> =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /gu)].map(([, status]) => Number(status))

/** The answer to some bytes, until the server ends the connection. */
export const exchange = (
  server: { readonly port: number },
  bytes: string
): Promise<string> =>
  new Promise((resolve) => {
    const { received, socket } = openWire(server)
    socket.on("close", () => resolve(received()))
    socket.write(bytes)
  })
