/**
 * Writes and reads over bare NATS: JSON to a subject, JSON back. Any language with a NATS client
 * can do the same; nothing of Everwrite is imported.
 *
 *     NATS_URL=nats://... npx node examples/nats-without-typescript.ts
 *
 * It needs a cluster with the sample buckets: `npm start` runs one, and says where its NATS is.
 */
import { connect } from "@nats-io/transport-node"

const nats = await connect({ servers: process.env["NATS_URL"] ?? "nats://127.0.0.1:4222" })

/** The subject names the operation and the bucket of the cluster `dev`, the message the rest. */
const ask = async (subject: string, request: object) => {
  const reply = await nats.request(`everwrite.dev.v1.${subject}`, JSON.stringify(request), {
    timeout: 5_000
  })
  console.log(subject, reply.string())
  return reply.json<{ readonly context: string }>()
}

await ask("write.scratch.put", { key: "by hand", args: [{ written: "without TypeScript" }] })
await ask("read.scratch.get", { key: "by hand" })

// An operation's name is the end of the subject; its arguments are `args`.
await ask("write.visits.add", { key: "by hand", args: [2] })

// A context brought back with a write says which values its author saw: it replaces only those.
const { context } = await ask("read.notes.get", { key: "by hand" })
await ask("write.notes.put", { key: "by hand", args: ["seen"], context })

// Errors are answers as well: the problem, in fields.
await ask("write.scratch.push", { key: "by hand", args: [1] })

await nats.close()
