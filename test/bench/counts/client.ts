/**
 * Is the client of the counted run, a process of its own: it takes `connect` and the bucket from
 * the checkout that is measured, and puts and gets as often as it is told. Keys and bodies are made
 * before, so that what it allocates and copies is the client's.
 */
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { bodyOf, documentCount, keyOf } from "../measure.ts"
import type { Answer, Command } from "./Figures.ts"

interface Documents {
  readonly put: (key: string, body: string) => Promise<unknown>
  readonly get: (key: string) => Promise<unknown>
}

interface Source {
  readonly connect: (
    buckets: { readonly documents: unknown },
    options: { readonly servers: string; readonly cluster: string }
  ) => Promise<{ readonly documents: Documents; readonly close: () => Promise<void> }>
}

interface Config {
  readonly Documents: unknown
}

const { values } = parseArgs({
  options: {
    of: { type: "string", default: "." },
    nats: { type: "string", default: "" },
    bodies: { type: "string", default: "0" }
  }
})
const inFlight = 64
const urlOf = (path: string): string => pathToFileURL(join(values.of, path)).href

// Read back from bytes, since V8 would put text that was joined together when it is first used.
const flat = (text: string): string => Buffer.from(text).toString("latin1")
const keys = Array.from({ length: documentCount }, (_, i) => flat(keyOf(i)))
const bodies = Array.from({ length: Number(values.bodies) }, (_, i) => flat(bodyOf(i)))

const source: Source = await import(urlOf("src/index.ts"))
const config: Config = await import(urlOf("test/bench/everwrite.config.ts"))
const db = await source.connect(
  { documents: config.Documents },
  { servers: values.nats, cluster: "bench" }
)

const run = async (command: Extract<Command, { readonly run: string }>): Promise<Answer> => {
  const { documents } = db
  const end = command.first + command.count
  let next = command.first
  let failures = 0
  const operate = (i: number): Promise<unknown> => {
    const key = keys[i % keys.length]!
    return command.run === "put" ? documents.put(key, bodies[i]!) : documents.get(key)
  }
  const work = async () => {
    while (next < end) {
      try {
        await operate(next++)
      } catch {
        failures++
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  return { ran: command.count, failures }
}

const tell = (answer: Answer): unknown => process.send?.(answer)
process.on("message", (command: Command) => {
  if ("run" in command) void run(command).then(tell)
})
process.once("SIGTERM", () => void db.close().finally(() => process.exit()))
tell({ client: "ready" })
