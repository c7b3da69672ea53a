/**
 * Relays TCP connections to a port of this machine, and can be cut: connections end, and new ones
 * are refused until it is mended.
 */
import { connect, createServer, type Server, type Socket } from "node:net"

export interface Wire {
  readonly port: number
  readonly cut: () => void
  readonly mend: () => void
  readonly close: () => void
}

const host = "127.0.0.1"

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, host, () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

export const makeWire = async (to: number): Promise<Wire> => {
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer({ noDelay: true }, (near) => {
    if (isCut) return void near.destroy()
    const far = connect({ port: to, host, noDelay: true })
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      open.add(socket)
      socket.pipe(other)
      socket.on("error", () => other.destroy())
      socket.on("close", () => {
        open.delete(socket)
        other.destroy()
      })
    }
  })
  const destroyAll = (): void => open.forEach((socket) => socket.destroy())
  return {
    port: await listen(server),
    cut: () => {
      isCut = true
      destroyAll()
    },
    mend: () => {
      isCut = false
    },
    close: () => {
      isCut = true
      destroyAll()
      server.close()
    }
  }
}
