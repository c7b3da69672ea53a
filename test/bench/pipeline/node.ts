/**
 * Is one node of the bare pipeline: the coordinator of a put appends to its own store and sends to
 * the two others, and answers when two of the three have synced; a get asks two. It is the shape of
 * a put and a get of the product, with no causality, no types, no checks, and no repair: a bound on
 * what such a shape can do in Node.
 *
 *     node test/bench/pipeline/node.ts NAME,OTHER,OTHER NATS-URL DIRECTORY
 */
import { connect } from "@nats-io/transport-node"
import { type Message, nothing, Outbox, readFrame } from "./Frames.ts"
import { Store } from "./Store.ts"

const [names = "", servers = "", directory = ""] = process.argv.slice(2)
const [self = "", ...others] = names.split(",").map((name) => `pipeline.${name}`)
const replicasThatMustSync = 2

const connection = await connect({ servers })
const outbox = new Outbox(connection)
const store = new Store(directory)
const waiting = new Map<number, (value: Uint8Array) => void>()
let requests = 0
let puts = 0

const answer = ({ from, id }: Message, value: Uint8Array): void =>
  outbox.send(from, { kind: "answer", id, from: "", key: "", value })

const ask = (
  to: string,
  message: Pick<Message, "kind" | "key" | "value">,
  take: (value: Uint8Array) => void
): void => {
  const id = ++requests % 2 ** 32
  waiting.set(id, take)
  outbox.send(to, { ...message, id, from: self })
}

/** The moment and a number stand before the value: the greater wins, as with last writes. */
const stampBytes = 16

const stamped = (value: Uint8Array): Uint8Array => {
  const bytes = Buffer.allocUnsafeSlow(stampBytes + value.length)
  bytes.writeDoubleBE(Date.now(), 0)
  bytes.writeDoubleBE(++puts, 8)
  bytes.set(value, stampBytes)
  return bytes
}

const isNewer = (value: Uint8Array, than: Uint8Array | undefined): boolean =>
  than === undefined
  || Buffer.compare(value.subarray(0, stampBytes), than.subarray(0, stampBytes)) > 0

const put = (message: Message): void => {
  const value = stamped(message.value)
  let synced = 0
  const acknowledge = (): void => {
    if (++synced === replicasThatMustSync) answer(message, nothing)
  }
  store.write(message.key, value, acknowledge)
  for (const other of others) ask(other, { kind: "store", key: message.key, value }, acknowledge)
}

const get = (message: Message): void => {
  const own = store.read(message.key) ?? nothing
  const asked = others[message.id % others.length]!
  ask(asked, { kind: "fetch", key: message.key, value: nothing }, (value) => {
    const newest = isNewer(own, value) || value.length === 0 ? own : value
    answer(message, newest.subarray(Math.min(stampBytes, newest.length)))
  })
}

const take = (message: Message): void => {
  const { id, key, kind, value } = message
  switch (kind) {
    case "put":
      return put(message)
    case "get":
      return get(message)
    case "store": {
      if (isNewer(value, store.read(key))) {
        // The frame that the value lies in is many times as long.
        store.write(key, new Uint8Array(value), () => answer(message, nothing))
      } else answer(message, nothing)
      return
    }
    case "fetch":
      return answer(message, store.read(key) ?? nothing)
    case "answer": {
      waiting.get(id)?.(value)
      waiting.delete(id)
    }
  }
}

connection.subscribe(self, { callback: (_error, { data }) => readFrame(data, take) })
await connection.flush()
process.send?.("ready")
