// Checks when a remote client sends a request again whose answer comes in parts, late or never.
import { afterEach, beforeEach, expect, it } from "vitest"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { clusterName } from "../cluster/memoryCluster.ts"
import { Asked, SteppedCluster } from "../cluster/steppedCluster.ts"

const maxPayload = 4_096
let stepped: SteppedCluster
let backend: NatsBackend
/** Requests that the client sent. */
let requests: number
/** Parts that have not reached the client yet. */
let held: Array<() => void>
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, maxPayload })
  const transport = stepped.cluster.connect()
  requests = 0
  held = []
  const slow: TransportService = {
    ...transport,
    publish: (subject, data, reply) => {
      if (subject.includes(".read.notes.")) requests++
      transport.publish(subject, data, reply)
    },
    subscribe: (subject, handler, options) =>
      transport.subscribe(subject, (message) => {
        const data = new Uint8Array(message.data)
        const isPart = Buffer.from(data).toString().startsWith("{\"part\":")
        if (isPart) held.push(() => handler({ ...message, data }))
        else handler(message)
      }, options)
  }
  backend = new NatsBackend({ runtime: stepped.runtime, transport: slow, cluster: clusterName })
  let isReady = false
  backend.ready(() => (isReady = true), () => undefined, () => undefined)
  stepped.runtime.runReady()
  while (held.length > 0) held.shift()?.()
  expect(isReady).toBe(true)
  for (const letter of ["a", "b", "c"]) {
    stepped.write(1, notes, { key: "k", op: "put", args: [letter.repeat(3_000)], w: "all" })
  }
})
afterEach(() => {
  backend.close()
  stepped.stop()
})

const read = (): Asked => {
  const asked = new Asked()
  const body = { key: "k", timeoutMillis: 10_000 }
  const bucket = BucketName.make(notes.name)
  backend.request({ action: "read", bucket, body }, (outcome) => asked.outcomes.push(outcome))
  stepped.runtime.runReady()
  return asked
}

it("a request is not sent again as long as parts of its answer come", () => {
  const asked = read()
  expect(held.length).toBe(3)
  for (const release of held) {
    stepped.runtime.advance(90)
    release()
  }
  expect(asked.answer.values.length).toBe(3)
  expect(requests).toBe(1)
})

it("a request is sent again some time after the last part of its answer", () => {
  const asked = read()
  held.shift()?.()
  held = []
  stepped.runtime.advance(2_000)
  expect(requests).toBeGreaterThan(1)
  for (const release of held) release()
  expect(asked.answer.values.length).toBe(3)
})
