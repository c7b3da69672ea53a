/**
 * Opens each way into a store, for the contract of them all: a program in a node's process, over
 * NATS and over HTTP, messages and requests written by hand, and the command line.
 */
import type { Backend } from "../../src/client/Backend.ts"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { makeDb } from "../../src/client/Promises.ts"
import * as Json from "../../src/core/codec/Json.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { remote } from "../client/ways.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import type { KeyedInput, WayIn } from "../contracts/waysIn.ts"
import { startServer, type TestServer } from "../http/served.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { run } from "./everwrite.ts"

/** A cluster of three nodes, one of which serves HTTP, and a client over NATS. */
export interface Store {
  readonly cluster: MemoryCluster
  readonly server: TestServer
  readonly nats: Awaited<ReturnType<typeof remote>>
  readonly stop: () => Promise<void>
}

export const openStore = async (buckets: ReadonlyArray<Any>): Promise<Store> => {
  const cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 10_000 })
  const server = await startServer({ backend: cluster.backends[0]! })
  const nats = await remote(cluster)
  const stop = async () => {
    nats.close()
    await server.stop()
    cluster.stop()
  }
  return { cluster, server, nats, stop }
}

/** Inputs whose stored key is of interest. */
const showsKey = ({ expected }: KeyedInput): boolean => expected.includes(" under ")

/** The stored text, read at another node than the one that took the write. */
const storedOf = ({ cluster }: Store, input: KeyedInput): Promise<string> =>
  new Promise((resolve) => {
    const { bucket, expected, key } = input
    const json = showsKey(input)
      ? Json.parse(expected.slice(expected.indexOf(" under ") + 7))
      : key.text ?? ""
    const under = showsKey(input) ? ` under ${JSON.stringify(json)}` : ""
    const body = { key: json, r: "all" } as const
    cluster.backends[1]!.request(
      { action: "read", bucket: bucket.definition.name, body },
      (outcome) =>
        resolve(
          outcome._tag === "Answer"
            ? `stored ${outcome.texts?.join(" ")}${under}`
            : `unreadable: ${outcome.message}`
        )
    )
  })

const refusalOf = ({ _tag, path }: { readonly _tag: string; readonly path?: unknown }): string =>
  typeof path === "string" ? `refused ${_tag} ${path}` : `refused ${_tag}`

/** Each input in turn: the refusal, or what is stored then. */
const inTurn = (
  store: Store,
  write: (input: KeyedInput) => Promise<string | undefined>
): WayIn["write"] =>
async (inputs) => {
  const outcomes: Array<string> = []
  for (const input of inputs) outcomes.push(await write(input) ?? await storedOf(store, input))
  return outcomes
}

const program = (store: Store, backend: Backend): WayIn => ({
  takes: "values",
  write: inTurn(store, async ({ bucket, key, operation, values = [] }) => {
    const db: any = makeDb({ it: bucket }, backend, async () => undefined)
    const method = operation.split(".").reduce((handle, step) => handle[step], db.it)
    try {
      await method(key.value, ...values)
      return undefined
    } catch (error: any) {
      return refusalOf(error)
    }
  })
})

/** The key as JSON. */
const keyJson = ({ bucket, key: { text = "" } }: KeyedInput): string =>
  bucket.definition.key.bare ? JSON.stringify(text) : text

/** In a put, the path begins in the value, where a program gives no array of arguments. */
const inValue = (operation: string, path: unknown): unknown =>
  operation === "put" && typeof path === "string" ? path.replace(/^\$\[0\]/u, "$") : path

const message = (store: Store): WayIn => ({
  takes: "texts",
  write: inTurn(store, (input) =>
    new Promise((resolve) => {
      const { bucket, operation, texts = [] } = input
      const transport = store.cluster.connect()
      const inbox = transport.newInbox()
      transport.subscribe(inbox, ({ data }) => {
        const { error } = JSON.parse(new TextDecoder().decode(data))
        const path = inValue(operation, error?.path)
        resolve(error === undefined ? undefined : refusalOf({ ...error, path }))
      })
      const body = `{"key":${keyJson(input)},"args":[${texts.join(",")}]}`
      const subject = `everwrite.test.v1.write.${bucket.name}.${operation}`
      transport.publish(subject, new TextEncoder().encode(body), inbox)
    }))
})

const request = (store: Store): WayIn => ({
  takes: "texts",
  write: inTurn(store, async ({ bucket, key: { text = "" }, operation, texts = [] }) => {
    const docs = `${store.server.url}/v1/buckets/${bucket.name}/docs`
    const query = `?key=${encodeURIComponent(text)}`
    const isPut = operation === "put"
    const response = await fetch(isPut ? docs + query : `${docs}/ops/${operation}${query}`, {
      method: isPut ? "PUT" : "POST",
      headers: { "content-type": "application/json" },
      body: isPut ? texts.join() : `[${texts.join(",")}]`
    })
    if (response.ok) return undefined
    const { path, type }: any = await response.json()
    return refusalOf({ _tag: type.split(":").at(-1), path })
  })
})

const bodyRequest = (store: Store): WayIn => ({
  takes: "texts",
  write: inTurn(store, async (input) => {
    const { bucket, operation, texts = [] } = input
    const calls = `[{"name":"${operation}","args":[${texts.join(",")}]}]`
    const response = await fetch(`${store.server.url}/v1/buckets/${bucket.name}/write`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"key":${keyJson(input)},"calls":${calls}}`
    })
    if (response.ok) return undefined
    const { path, type }: any = await response.json()
    return refusalOf({ _tag: type.split(":").at(-1), path: inValue(operation, path) })
  })
})

/** So many commands at once: each is a process, which mostly waits for its start. */
const commandsAtOnce = 4

const commandLine = (store: Store): WayIn => ({
  takes: "texts",
  write: async (inputs) => {
    const outcomes: Array<string> = []
    const waiting = [...inputs.entries()]
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, input] = next
        outcomes[index] = await command(store, input) ?? await storedOf(store, input)
      }
    }
    await Promise.all(Array.from({ length: commandsAtOnce }, work))
    return outcomes
  }
})

const command = async ({ server }: Store, input: KeyedInput): Promise<string | undefined> => {
  const { bucket, key: { text = "" }, operation, texts = [] } = input
  const kinds = bucket.definition.strategy.family === "crdt" && texts.length > 1 ? ["key"] : []
  const typed = texts.map((json, i) => kinds[i] === "key" ? String(JSON.parse(json)) : json)
  const verb = operation === "put" ? ["put"] : ["do"]
  const rest = operation === "put"
    ? ["--", bucket.name, text]
    : ["--", bucket.name, text, operation]
  const args = [...verb, "--json", "--url", server.url, ...rest, ...typed]
  const { code, stderr, stdout } = await run(args)
  if (code === 0) return undefined
  try {
    return refusalOf(JSON.parse(stderr).error)
  } catch {
    return `failed with ${code}: ${stdout}${stderr}`
  }
}

/** Every way, by its name. */
export const waysIn: ReadonlyArray<readonly [name: string, open: (store: Store) => WayIn]> = [
  ["a program in the node's process", (store) => program(store, store.cluster.backends[0]!)],
  ["a program over NATS", (store) => program(store, store.nats)],
  [
    "a program over HTTP",
    (store) => program(store, new HttpBackend({ runtime: liveRuntime, url: store.server.url }))
  ],
  ["a message over NATS", message],
  ["a request over HTTP", request],
  ["a request in a body over HTTP", bodyRequest],
  ["the command line", commandLine]
]
