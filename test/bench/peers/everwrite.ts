/**
 * Runs the product: three node processes over a nats-server, N = 3, R = 2, W = 2.
 */
import { connect } from "../../../src/index.ts"
import { freePort, natsServerBinary, startNatsServer } from "../../tooling/natsServer.ts"
import * as Config from "../everwrite.config.ts"
import { nodes, startNode } from "../nodes.ts"
import { owned, ThreeNodes } from "./Processes.ts"
import type { Bytes, Client, Connect, Program } from "./Program.ts"

const bytesOf = async (ports: ReadonlyArray<number>): Promise<Bytes> => {
  const sums = { wire: 0, disk: 0 }
  for (const port of ports) {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
    const metrics = await response?.text() ?? ""
    const valueOf = (name: string): number =>
      Number(new RegExp(`^everwrite_${name}_total (\\d+)$`, "mu").exec(metrics)?.[1])
    sums.wire += valueOf("nats_bytes_sent")
    sums.disk += valueOf("bytes_committed")
  }
  return sums
}

export const everwrite: Program = {
  promise: "synced on two nodes of three; a get asks two",
  ...natsServerBinary === undefined ? { missing: "apt-get install -y nats-server" } : {},
  start: async (data) => {
    const nats = await startNatsServer()
    const ports = await Promise.all(nodes.map(() => freePort()))
    const three = await new ThreeNodes(async (node) =>
      owned(await startNode(nodes[node]!, { nats: nats.url, data, http: ports[node]! }))
    ).startAll()
    return {
      address: nats.url,
      pids: three.pids,
      kill: three.kill,
      restart: three.restart,
      urls: ports.map((port) => `http://127.0.0.1:${port}`),
      bytes: () => bytesOf(ports),
      stop: async () => {
        await three.stop()
        await nats.stop()
      }
    }
  }
}

/** The same nodes; other buckets. It is started by whichever of the two comes first. */
export const bufferedPromise =
  "in the memory of two nodes of three, synced soon after; a get asks two"

const clientOf = async (address: string, isBuffered: boolean): Promise<Client> => {
  const buckets = {
    documents: isBuffered ? Config.BufferedDocuments : Config.Documents,
    visits: isBuffered ? Config.BufferedVisits : Config.Visits,
    carts: isBuffered ? Config.BufferedCarts : Config.Carts,
    tags: isBuffered ? Config.BufferedTags : Config.Tags,
    texts: isBuffered ? Config.BufferedTexts : Config.Texts,
    tallies: isBuffered ? Config.BufferedTallies : Config.Tallies
  }
  const db = await connect(buckets, { servers: address, cluster: "bench" })
  return {
    put: (key, body) => db.documents.put(key, body),
    get: (key) => db.documents.get(key),
    update: (key, change) => db.texts.update(key, (text = "") => change(text)),
    increment: (key) => db.visits.add(key, 1),
    addToCart: (cart, item) =>
      db.carts.update(cart, (items = {}) => ({ ...items, [item]: (items[item] ?? 0) + 1 })),
    add: (set, elements) =>
      elements.length === 1
        ? db.tags.add(set, elements[0]!)
        : db.tags.edit(set, (tags) => elements.map((element) => tags.add(element))),
    addToTally: (tally, counters) =>
      counters.length === 1
        ? db.tallies.add(tally, counters[0]!, 1)
        : db.tallies.edit(tally, (counts) => counters.map((counter) => counts.add(counter, 1))),
    close: () => db.close()
  }
}

export const connectSynced: Connect = (address) => clientOf(address, false)
export const connectBuffered: Connect = (address) => clientOf(address, true)
