/**
 * Connects to a NATS server as a client that subscribes, asks, and reads none of its messages.
 */
import { once } from "node:events"
import { connect } from "node:net"

export interface NeverReads {
  /** Publishes messages, whose answers go to a subject that it subscribed to. */
  readonly ask: (subject: string, body: unknown, count: number) => void
  /** Whether the server has ended the connection. */
  readonly isCutOff: () => boolean
  readonly close: () => void
}

export const neverReads = async (
  port: number,
  options: { readonly subscribe: string; readonly reply?: string }
): Promise<NeverReads> => {
  const { reply = "", subscribe } = options
  const socket = connect({ port, host: "127.0.0.1" })
  let isCutOff = false
  // Without a reader the end of the connection shows when it is written to.
  socket.on("error", () => {
    isCutOff = true
  })
  socket.on("close", () => {
    isCutOff = true
  })
  await once(socket, "connect")
  socket.pause()
  socket.write(`CONNECT {"verbose":false}\r\nSUB ${subscribe} 1\r\n`)
  const pings = setInterval(() => socket.write("PING\r\n"), 100)
  return {
    ask: (subject, body, count) => {
      const text = JSON.stringify(body)
      const length = Buffer.byteLength(text)
      socket.write(`PUB ${subject} ${reply} ${length}\r\n${text}\r\n`.repeat(count))
    },
    isCutOff: () => isCutOff,
    close: () => {
      clearInterval(pings)
      socket.destroy()
    }
  }
}
