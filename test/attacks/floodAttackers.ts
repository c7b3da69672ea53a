/**
 * Runs as a thread: floods the subjects of a cluster, so many messages a second, as one kind of
 * attacker does.
 */
import { connect as connectNats, type Msg, type NatsConnection } from "@nats-io/transport-node"
import { connect as connectSocket } from "node:net"
import { workerData } from "node:worker_threads"

export interface Flood {
  readonly kind: string
  readonly url: string
  readonly port: number
  /** Messages a second. */
  readonly rate: number
  /** How many were sent is counted here. */
  readonly sent: SharedArrayBuffer
}

const tickMillis = 5
const { kind, port, rate, sent, url }: Flood = workerData
const counter = new Int32Array(sent)
const prefix = "everwrite.bench.v1."
const encoder = new TextEncoder()

/** A frame between nodes, recorded. */
const recorded = (connection: NatsConnection): Promise<Msg> =>
  new Promise((resolve) => {
    const subscription = connection.subscribe(`${prefix}peer.n1.from.*`, {
      callback: (_, message) => {
        subscription.unsubscribe()
        resolve(message)
      }
    })
  })

/** Sends one message, the n-th. */
type Send = (n: number) => void

const verbs = ["PING", "INFO", "STATS"]

const floods: Readonly<Record<string, (connection: NatsConnection) => Promise<Send>>> = {
  "garbage to nodes": async (connection) => {
    const garbage = Array.from(
      { length: 64 },
      (_, i) => Uint8Array.from({ length: 300 }, (_, j) => (i * 31 + j * 17) % 256)
    )
    return (n) =>
      connection.publish(
        `${prefix}peer.n${1 + n % 3}.from.n${1 + (n + 1) % 3}`,
        garbage[n % garbage.length]
      )
  },
  "a replayed frame": async (connection) => {
    const { data, subject } = await recorded(connection)
    const copy = data.slice()
    return () => connection.publish(subject, copy)
  },
  "valid small reads": async (connection) => {
    connection.subscribe("_INBOX.reads", { callback: () => undefined })
    return (n) =>
      connection.publish(
        `${prefix}read.documents.get`,
        encoder.encode(JSON.stringify({ key: `k${n % 100}` })),
        { reply: "_INBOX.reads" }
      )
  },
  "$SRV requests": async (connection) => {
    connection.subscribe("_INBOX.services", { callback: () => undefined })
    return (n) =>
      connection.publish(`$SRV.${verbs[n % verbs.length]}.everwrite`, "", {
        reply: "_INBOX.services"
      })
  },
  "answers never read": async (connection) => {
    const socket = connectSocket(port, "127.0.0.1")
    socket.on("error", () => undefined)
    socket.write("CONNECT {\"verbose\":false}\r\nSUB _INBOX.unread 1\r\n", () => socket.pause())
    const body = encoder.encode(JSON.stringify({ key: "large" }))
    return () => connection.publish(`${prefix}read.documents.get`, body, { reply: "_INBOX.unread" })
  }
}

const connection = await connectNats({ servers: url })
const send = await floods[kind]!(connection)
const began = performance.now()
setInterval(() => {
  const due = (performance.now() - began) / 1_000 * rate
  for (; counter[0]! < due; counter[0]!++) send(counter[0]!)
}, tickMillis)
