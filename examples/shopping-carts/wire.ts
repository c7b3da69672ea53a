/**
 * Relays TCP connections, and can be cut: connections end, and new ones are refused until it is
 * mended.
 */
import { connect, createServer, type Server, type Socket } from "node:net"

export interface Wire {
  readonly port: number
  readonly cut: () => void
  readonly mend: () => void
  readonly close: () => void
}

export const host = "127.0.0.1"

/** Listens on a free port. */
export const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, host, () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

/** `to` is a port of this machine, unless a host is named. */
export const makeWire = async (to: number, toHost = host): Promise<Wire> => {
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer({ noDelay: true }, (near) => {
    if (isCut) return void near.destroy()
    const far = connect({ port: to, host: toHost, noDelay: true })
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
