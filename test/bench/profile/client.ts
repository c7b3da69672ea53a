/**
 * Is the client of a profiled run: it puts and gets documents of which one node is the first owner,
 * and goes to no other, so that this node coordinates all of them and the others replicate.
 *
 *     node test/bench/profile/client.ts NATS-URL NODE IN-FLIGHT
 */
import { NatsBackend } from "../../../src/client/NatsBackend.ts"
import { makeDb } from "../../../src/client/Promises.ts"
import { toPromise } from "../../../src/client/Task.ts"
import { lan } from "../../../src/core/model/Limits.ts"
import { ClusterName } from "../../../src/core/model/Names.ts"
import { rowKeyOf } from "../../../src/core/ring/Partition.ts"
import { encodeKey } from "../../../src/core/model/KeyFields.ts"
import { connectNats } from "../../../src/transport/NatsTransport.ts"
import { liveRuntime } from "../../tooling/runtimes.ts"
import type { Answer, Command } from "../counts/Figures.ts"
import * as Config from "../everwrite.config.ts"
import { bodyOf } from "../measure.ts"

const [servers = "", coordinator = "", inFlight = "64"] = process.argv.slice(2)
const documents = 3_000

const transport = await connectNats({ ...lan.nats, servers }, (text) => console.error(text))
const backend = new NatsBackend({
  runtime: liveRuntime,
  transport,
  cluster: ClusterName.make("bench"),
  // However busy the coordinator is: another one would be measured for it.
  limits: { ...lan.client, noiseMillis: 60_000 }
})
await toPromise(backend.ready)
const db = makeDb({ documents: Config.Documents }, backend, async () => undefined)

const { members, owners, partitionCount } = backend.description!
const ownersEach = owners!.indexes.length / partitionCount

const isCoordinated = (key: string): boolean => {
  const { definition, name: bucket } = Config.Documents
  const { partition } = rowKeyOf({ bucket, key: encodeKey(definition.key, key), partitionCount })
  return members[owners!.indexes[partition * ownersEach]!]!.id === coordinator
}

const keys: Array<string> = []
for (let i = 0; keys.length < documents; i++) if (isCoordinated(`k${i}`)) keys.push(`k${i}`)

const run = async (command: Extract<Command, { readonly run: string }>): Promise<Answer> => {
  const end = command.first + command.count
  let next = command.first
  let failures = 0
  const operate = (i: number): Promise<unknown> => {
    const key = keys[(i * 7_919) % documents]!
    return command.run === "put" ? db.documents.put(key, bodyOf(i)) : db.documents.get(key)
  }
  const work = async (): Promise<void> => {
    while (next < end) {
      try {
        await operate(next++)
      } catch {
        failures++
      }
    }
  }
  await Promise.all(Array.from({ length: Number(inFlight) }, work))
  return { ran: command.count, failures }
}

const tell = (answer: Answer): unknown => process.send?.(answer)
process.on("message", (command: Command) => {
  if ("run" in command) void run(command).then(tell)
})
process.once("SIGTERM", () => process.exit())
tell({ client: "ready" })
