/**
 * Prints, for each of some messages that ask for much work, how long a node of this process takes
 * for it, and the longest stall of the event loop meanwhile: `npm run attack -- work`.
 *
 * One node alone, on a broker and a disk in memory: a stall is the work of one turn, with no wait
 * for anything in it. Both are CPU time, so that other programs on the machine do not count.
 */
import * as Schema from "effect/Schema"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { makeCluster } from "../cluster/memoryCluster.ts"

const notes = Bucket.lww("notes", { n: 1, key: Key.text, value: Schema.String })
const carts = Bucket.siblings("carts", { n: 1, key: Key.text, value: Schema.Json })
const tags = Bucket.crdt("tags", { n: 1, key: Key.text, type: Crdt.set(Schema.Json) })
const people = Bucket.crdt("people", {
  n: 1,
  key: Key.text,
  type: Crdt.map(
    Crdt.document({ name: Crdt.register(Schema.String), tags: Crdt.set(Schema.String) })
  )
})
const hits = Bucket.crdt("hits", { n: 1, key: Key.text, type: Crdt.map(Crdt.counter) })

interface Attack {
  readonly name: string
  readonly subject: string
  readonly bodies: ReadonlyArray<string>
}

const times = <A>(count: number, make: (i: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i))

const batch = (count: number, make: (i: number) => object): string =>
  JSON.stringify(times(count, (i) => ({ id: i, ...make(i) })))

const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`

const attacks: ReadonlyArray<Attack> = [
  {
    name: "10,000 puts of 60 bytes",
    subject: "write.notes.put",
    bodies: [batch(10_000, (i) => ({ key: `k${i}`, args: ["x".repeat(30)] }))]
  },
  {
    name: "4,000 puts of 60 bytes",
    subject: "write.notes.put",
    bodies: [batch(4_000, (i) => ({ key: `k${i}`, args: ["x".repeat(30)] }))]
  },
  {
    name: "4,000 gets",
    subject: "read.notes.get",
    bodies: [batch(4_000, (i) => ({ key: `k${i}` }))]
  },
  {
    name: "16 lists of 1,000 keys",
    subject: "read.notes.list",
    bodies: [batch(16, () => ({ limit: 1_000, timeoutMillis: 60_000 }))]
  },
  {
    name: "10,000 gets",
    subject: "read.notes.get",
    bodies: [batch(10_000, (i) => ({ key: `k${i}` }))]
  },
  {
    name: "1,000 lists of 1,000 keys",
    subject: "read.notes.list",
    bodies: [batch(1_000, () => ({ limit: 1_000, timeoutMillis: 60_000 }))]
  },
  {
    name: "10,000 explanations",
    subject: "read.notes.explain",
    bodies: [batch(10_000, (i) => ({ key: `k${i}` }))]
  },
  {
    name: "499,001 zeros",
    subject: "read.notes.get",
    bodies: [`[${"0,".repeat(499_000)}0]`]
  },
  {
    name: "499,001 zeros to list",
    subject: "read.notes.list",
    bodies: [`[${"0,".repeat(499_000)}0]`]
  },
  {
    name: "a value nested 490,000 deep",
    subject: "write.notes.put",
    bodies: [`{"key":"k","args":[${nested(490_000)}]}`]
  },
  {
    name: "400,000 arguments",
    subject: "write.notes.put",
    bodies: [`{"key":"k","args":[${"0,".repeat(400_000)}0]}`]
  },
  {
    name: "a value of 99,990 items",
    subject: "write.carts.put",
    bodies: [`{"key":"v","args":[[${"0,".repeat(99_980)}0]]}`]
  },
  {
    name: "a key of 400,000 items",
    subject: "read.notes.get",
    bodies: [`{"key":[${"0,".repeat(400_000)}0]}`]
  },
  {
    name: "a request of 100,000 fields",
    subject: "read.notes.get",
    bodies: [`{"key":"k",${times(90_000, (i) => `"${i}":0`).join(",")}}`]
  },
  {
    name: "1,000 contexts of 900 characters",
    subject: "read.notes.get",
    bodies: [JSON.stringify({ key: "k", after: times(1_000, () => "A".repeat(900)) })]
  },
  {
    name: "20 edits of a set, 1,000 additions each",
    subject: "write.tags.edit",
    bodies: [JSON.stringify(times(20, (i) => ({
      id: i,
      key: "s",
      calls: times(1_000, (j) => ({ name: "add", args: [i * 1_000 + j] }))
    })))]
  },
  {
    name: "20 edits of a map of documents, 1,000 operations each",
    subject: "write.people.edit",
    bodies: [JSON.stringify(times(20, (i) => ({
      id: i,
      key: "p",
      calls: times(800, (j) => ({ name: "name.set", args: [`${i}.${j}`, "n"] }))
    })))]
  },
  {
    name: "20 edits of a map of counters, 1,000 operations each",
    subject: "write.hits.edit",
    bodies: [JSON.stringify(times(20, (i) => ({
      id: i,
      key: "h",
      calls: times(800, (j) => ({ name: "add", args: [`${i}.${j}`, 1] }))
    })))]
  },
  {
    name: "20 edits of a register, 1,000 puts each",
    subject: "write.notes.edit",
    bodies: [JSON.stringify(times(20, (i) => ({
      id: i,
      key: "r",
      calls: times(1_000, () => ({ name: "put", args: ["x"] }))
    })))]
  },
  {
    name: "20 edits of siblings, 1,000 puts each",
    subject: "write.carts.edit",
    bodies: [JSON.stringify(times(20, (i) => ({
      id: i,
      key: "r",
      calls: times(1_000, () => ({ name: "put", args: ["x"] }))
    })))]
  },
  {
    name: "20 edits, 1,000 puts each, of 20 siblings documents",
    subject: "write.carts.edit",
    bodies: [JSON.stringify(times(20, (i) => ({
      id: i,
      key: `q${i}`,
      calls: times(1_000, () => ({ name: "put", args: ["x"] }))
    })))]
  }
]

/** CPU time of this thread, in milliseconds. */
const cpuMillis = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1_000
}

/** The longest CPU time between two turns of the event loop while `run` goes on. */
const longestStall = async (run: Promise<unknown>): Promise<number> => {
  let longest = 0
  let last = cpuMillis()
  let ended = false
  const look = (): void => {
    const now = cpuMillis()
    longest = Math.max(longest, now - last)
    last = now
    if (!ended) setImmediate(look)
  }
  setImmediate(look)
  await run.finally(() => ended = true)
  return longest
}

const encoder = new TextEncoder()

const send = async (client: TransportService, { bodies, subject }: Attack): Promise<number> => {
  const ended = Promise.withResolvers<void>()
  let answers = 0
  let timer = setTimeout(() => ended.resolve(), 120_000)
  const inbox = client.newInbox()
  let wanted = 0
  const subscription = client.subscribe(inbox, ({ data }) => {
    const text = new TextDecoder().decode(data)

    answers += text.startsWith("[") ? text.split("\"id\":").length - 1 : 1
    const isSingle = !text.startsWith("[")
    if (isSingle || answers >= wanted) ended.resolve()
    clearTimeout(timer)
    timer = setTimeout(() => ended.resolve(), 5_000)
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (const body of bodies) {
    const parsed: unknown = body.length < 1e6 && !body.includes("[[[") ? JSON.parse(body) : 0
    wanted += Array.isArray(parsed) ? parsed.length : 1
    client.publish(`everwrite.test.v1.${subject}`, encoder.encode(body), inbox)
  }
  await ended.promise
  clearTimeout(timer)
  subscription.close()
  return answers
}

const main = async (only: string | undefined): Promise<void> => {
  const cluster = await makeCluster({
    nodes: 1,
    partitionCount: 256,
    buckets: [notes, carts, tags, people, hits],
    limits: { cacheBytesMax: 64 * 2 ** 20, requestsMax: 10_000 }
  })
  const client = cluster.connect()
  console.log("| message | answers | CPU ms | longest stall, CPU ms |")
  console.log("| --- | --- | --- | --- |")
  for (const attack of attacks) {
    if (only !== undefined && !attack.name.includes(only)) continue
    const begun = cpuMillis()
    let answers = 0
    const stall = await longestStall(
      send(client, attack).then((count) => {
        answers = count
      })
    )
    const took = cpuMillis() - begun
    console.log(`| ${attack.name} | ${answers} | ${took.toFixed(0)} | ${stall.toFixed(0)} |`)
  }
  cluster.stop()
}

await main(process.argv[2])
