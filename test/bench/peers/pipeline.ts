/**
 * Runs the bare pipeline: three processes over a nats-server of their own.
 */
import { connect } from "@nats-io/transport-node"
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { natsServerBinary, startNatsServer } from "../../tooling/natsServer.ts"
import { type Kind, nothing, Outbox, readFrame } from "../pipeline/Frames.ts"
import { madeFolder, owned, ThreeNodes } from "./Processes.ts"
import type { Connect, Program } from "./Program.ts"

const names = ["a", "b", "c"]
const code = fileURLToPath(new URL("../pipeline/node.ts", import.meta.url))

export const pipeline: Program = {
  promise: "synced on two nodes of three; a get asks two; no causality, no types, no repair",
  ...natsServerBinary === undefined ? { missing: "apt-get install -y nats-server" } : {},
  start: async (directory) => {
    const nats = await startNatsServer()
    const three = await new ThreeNodes(async (node) => {
      const self = names[node]!
      const others = names.filter((name) => name !== self)
      const child = owned(
        fork(code, [[self, ...others].join(","), nats.url, madeFolder(directory, self)])
      )
      await once(child, "message")
      return child
    }).startAll()
    return {
      address: nats.url,
      pids: three.pids,
      kill: three.kill,
      restart: three.restart,
      stop: async () => {
        await three.stop()
        await nats.stop()
      }
    }
  }
}

export const connectPipeline: Connect = async (address) => {
  const connection = await connect({ servers: address })
  const self = "pipeline.client"
  const outbox = new Outbox(connection)
  const waiting = new Map<number, (value: Uint8Array) => void>()
  let requests = 0
  connection.subscribe(self, {
    callback: (_error, { data }) =>
      readFrame(data, ({ id, value }) => {
        waiting.get(id)?.(value)
        waiting.delete(id)
      })
  })
  await connection.flush()
  const call = (kind: Kind, key: string, value: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve) => {
      const id = ++requests % 2 ** 32
      waiting.set(id, resolve)
      outbox.send(`pipeline.${names[id % names.length]}`, { kind, id, from: self, key, value })
    })
  return {
    put: (key, body) => call("put", key, Buffer.from(body, "latin1")),
    get: async (key) => Buffer.from(await call("get", key, nothing)).toString("latin1"),
    close: () => connection.close()
  }
}
