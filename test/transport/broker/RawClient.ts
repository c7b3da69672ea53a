/**
 * Talks to a broker over a bare socket: it sends bytes that no well-behaved client would.
 */
import { createConnection, type Socket } from "node:net"
import { until } from "../../tooling/until.ts"

export interface RawClient {
  readonly socket: Socket
  readonly send: (data: string | Uint8Array) => void
  /** All that the broker has said, as Latin-1. */
  readonly heard: () => string
  readonly closed: () => boolean
  /** Waits until the broker has said `text`. */
  readonly hears: (text: string) => Promise<void>
  readonly isClosed: () => Promise<void>
}

export const rawClient = async (port: number): Promise<RawClient> => {
  const socket = createConnection({ port, host: "127.0.0.1" })
  let text = ""
  let closed = false
  socket.on("data", (data) => {
    text += data.toString("latin1")
  })
  // A broker that closes while we write resets the connection: the tests look for that.
  socket.on("error", () => socket.destroy())
  socket.on("close", () => {
    closed = true
  })
  const client: RawClient = {
    socket,
    send: (data) => void socket.write(data),
    heard: () => text,
    closed: () => closed,
    hears: (part) => until(`the broker says ${JSON.stringify(part)}`, () => text.includes(part)),
    isClosed: () => until("the broker closes the connection", () => closed)
  }
  await client.hears("INFO {")
  return client
}
