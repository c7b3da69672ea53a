/**
 * Measures what the MAC of every frame between nodes costs.
 *
 *     npx node --conditions=everwrite-source test/bench/macs.ts
 *     npx node --conditions=everwrite-source test/bench/macs.ts --nodes [--pairs 9] [--seconds 3]
 *     npx node --conditions=everwrite-source test/bench/macs.ts --replays [--seconds 3]
 *
 * The first prints microseconds of CPU for each frame: to seal, to prove, to know a repeat, and, in
 * comparison, for the same MAC by the object that Node has for it, and for other functions that are
 * sound as a MAC. The second asks two clusters of three node processes in turn, one of which writes
 * no MACs and checks none, on the nats-server of each: by a change of its source as it is loaded,
 * since the product has no switch for it. The third sends one frame that was recorded again and
 * again to a node, 10,000 times a second, beside an honest client.
 */
import { connect as connectNats, type Msg } from "@nats-io/transport-node"
import { createHmac, createSecretKey, hash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { connect } from "../../src/index.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { encode, layout } from "../../src/transport/Frame.ts"
import { FrameSeal } from "../../src/transport/FrameSeal.ts"
import { FrameWindows } from "../../src/transport/FrameWindows.ts"
import { startNatsServer } from "../tooling/natsServer.ts"
import { Documents } from "./everwrite.config.ts"
import { bodyOf, keyOf, measure } from "./measure.ts"
import { nodes, startNode } from "./nodes.ts"

const { values } = parseArgs({
  options: {
    nodes: { type: "boolean", default: false },
    replays: { type: "boolean", default: false },
    pairs: { type: "string", default: "9" },
    seconds: { type: "string", default: "3" }
  }
})

const sender = NodeId.make("n2")
const subject = "everwrite.bench.v1.peer.n1.from.n2"
const rounds = 9

/** Microseconds of CPU of one call: the median of some rounds. */
const cpuMicros = (count: number, call: () => unknown): number => {
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage()
    for (let i = 0; i < count; i++) call()
    const { system, user } = process.cpuUsage(before)
    return (system + user) / count
  })
  return median(times)
}

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

const frameOf = (bytes: number): Uint8Array => {
  const header = {
    cluster: "bench",
    partitionCount: 256,
    senderIncarnation: "0mi8dfxmoabcdef",
    number: 1,
    receiverIncarnation: "0mi8dfxmoabcdef",
    clockMillis: 1_763_700_000_000
  }
  const empty = encode(header, { _tag: "Whole", messages: new Uint8Array(0) })
  return encode(header, { _tag: "Whole", messages: new Uint8Array(bytes - empty.length) })
}

const primitives = (): void => {
  const key = createSecretKey(Buffer.alloc(32, 7))
  const seal = new FrameSeal([{ key, id: "00112233aabbccdd" }])
  const windows = new FrameWindows({ frameWindow: 4_096, frameWindowsMax: 16 })
  windows.take(sender, "0mi8dfxmoabcdef", 1)
  console.log("bytes     seal    prove   repeat  createHmac  blake2b512, prefix  sha3-256, prefix")
  for (const bytes of [150, 300, 1_024, 4_096, 65_536, 1_048_576]) {
    const frame = frameOf(bytes)
    seal.seal(subject, frame)
    const prefixed = Buffer.concat([Buffer.alloc(128, 7), frame])
    const count = bytes > 50_000 ? Math.ceil(50_000_000 / bytes) : 20_000
    const micros = [
      cpuMicros(count, () => seal.seal(subject, frame)),
      cpuMicros(count, () => seal.prove(subject, frame)),
      cpuMicros(count, () => windows.isRepeat(sender, frame)),
      cpuMicros(
        count,
        () =>
          createHmac("sha256", key).update(subject).update(frame.subarray(layout.keyId)).digest()
      ),
      cpuMicros(count, () => hash("blake2b512", prefixed, "binary")),
      cpuMicros(count, () => hash("sha3-256", prefixed, "binary"))
    ]
    console.log(
      [String(bytes), ...micros.map((micro) => micro.toFixed(2))]
        .map((cell) => cell.padEnd(10)).join("")
    )
  }
}

/** A cluster of three node processes; with `preload` each loads that file first. */
const startCluster = async (preload: ReadonlyArray<string>) => {
  const nats = await startNatsServer()
  const data = mkdtempSync(join(tmpdir(), "everwrite-macs-"))
  const execArgv = preload.flatMap((file) => ["--import", file])
  const children = await Promise.all(
    nodes.map((node) => startNode(node, { nats: nats.url, data, execArgv }))
  )
  const db = await connect({ documents: Documents }, { servers: nats.url, cluster: "bench" })
  await measure({ inFlight: 256, millis: 3_000 }, (i) => db.documents.put(keyOf(i), bodyOf(i)))
  const close = async () => {
    await db.close()
    for (const child of children) {
      child.kill("SIGTERM")
      await once(child, "exit")
    }
    await nats.stop()
    rmSync(data, { recursive: true, force: true })
  }
  /** Microseconds of CPU that the nodes have used. */
  const cpu = () =>
    children.reduce((sum, { pid }) => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
      return sum + (Number(fields[11]) + Number(fields[12])) * 10_000
    }, 0)
  return { db, cpu, close, url: nats.url }
}

type Cluster = Awaited<ReturnType<typeof startCluster>>

let version = 0
const workloads = [
  ["puts", ({ db }: Cluster, i: number) => db.documents.put(keyOf(i), bodyOf(++version))],
  ["gets", ({ db }: Cluster, i: number) => db.documents.get(keyOf(i))]
] as const

const clusters = async (): Promise<void> => {
  const without = fileURLToPath(new URL("withoutMacs.ts", import.meta.url))
  const [sealed, bare] = [await startCluster([]), await startCluster([without])]
  const millis = Number(values.seconds) * 1_000
  console.log("                with/s  without/s  median of ratios  node CPU us with  without")
  for (const [title, operate] of workloads) {
    for (const inFlight of [64, 512]) {
      const ratios: Array<number> = []
      const all = { sealed: [] as Array<number>, bare: [] as Array<number> }
      const micros = { sealed: [] as Array<number>, bare: [] as Array<number> }
      const run = async (name: "sealed" | "bare", cluster: Cluster): Promise<number> => {
        const before = cluster.cpu()
        const line = await measure({ inFlight, millis }, (i) => operate(cluster, i))
        micros[name].push((cluster.cpu() - before) / line.times.length)
        all[name].push(line.perSecond)
        return line.perSecond
      }
      for (let pair = 0; pair < Number(values.pairs); pair++) {
        const first = pair % 2 === 0
        const early = first ? await run("sealed", sealed) : await run("bare", bare)
        const late = first ? await run("bare", bare) : await run("sealed", sealed)
        ratios.push(first ? early / late : late / early)
      }
      console.log(
        `${title} ${inFlight}`.padEnd(16)
          + median(all.sealed).toFixed(0).padEnd(8) + median(all.bare).toFixed(0).padEnd(11)
          + median(ratios).toFixed(3).padEnd(18)
          + median(micros.sealed).toFixed(1).padEnd(18) + median(micros.bare).toFixed(1)
      )
    }
  }
  await sealed.close()
  await bare.close()
}

const replayedPerSecond = 10_000
const tickMillis = 5

const replays = async (): Promise<void> => {
  const cluster = await startCluster([])
  const connection = await connectNats({ servers: cluster.url })
  let recorded: Msg | undefined
  const subscription = connection.subscribe("everwrite.bench.v1.peer.n1.from.*", {
    callback: (_, message) => void (recorded ??= message)
  })
  const millis = Number(values.seconds) * 1_000
  let sent = 0
  const line = async (title: string) => {
    const [before, sentBefore] = [cluster.cpu(), sent]
    const { perSecond, times } = await measure(
      { inFlight: 64, millis },
      (i) => cluster.db.documents.put(keyOf(i), bodyOf(++version))
    )
    const sorted = times.toSorted((a, b) => a - b)
    console.log(
      `${title}: ${perSecond.toFixed(0)} puts/s, p50 ${median(sorted).toFixed(1)} ms, p99 `
        + `${sorted[Math.floor(sorted.length * 0.99)]?.toFixed(1)} ms, CPU of the nodes `
        + `${((cluster.cpu() - before) / millis / 10).toFixed(0)} %, `
        + `${((sent - sentBefore) / millis * 1_000).toFixed(0)} replays/s`
    )
  }
  for (let round = 0; round < 3; round++) {
    await line("before")
    const from = performance.now()
    const first = sent
    const timer = setInterval(() => {
      const due = (performance.now() - from) / 1_000 * replayedPerSecond
      for (; sent - first < due; sent++) connection.publish(recorded!.subject, recorded!.data)
    }, tickMillis)
    await line("beside replays")
    clearInterval(timer)
  }
  subscription.unsubscribe()
  await connection.close()
  await cluster.close()
}

if (values.nodes) await clusters()
else if (values.replays) await replays()
else primitives()
