// Checks with nodes that are processes, a real nats-server and HTTP: forming without a member that
// is missing, and one operation id that is sent to all nodes at once.
import * as Schema from "effect/Schema"
import { afterAll, beforeAll, expect, it } from "vitest"
import { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { NodeProcesses } from "./nodeProcesses.ts"

const counts = Bucket.crdt("counts", { key: Key.text, type: Crdt.counter })
const members = ["n1", "n2", "n3"]
const document = "/v1/buckets/counts/docs"
const strict = { w: "2", dw: "2", pw: "2" }

describeWithNats("nodes that are processes", () => {
  let nats: NatsServer
  let nodes: NodeProcesses
  beforeAll(async () => {
    nats = await startNatsServer()
    const buckets = [counts.definition]
    nodes = new NodeProcesses({ nats, cluster: "processes", members, buckets })
  })
  afterAll(async () => {
    await nodes.stop()
    await nats.stop()
  })

  const add = (node: string, query: Readonly<Record<string, string>>, id?: string) =>
    nodes.request(node, `${document}/ops/add`, {
      method: "POST",
      body: "[1]",
      query,
      headers: {
        "content-type": "application/json",
        ...id === undefined ? {} : { "idempotency-key": id }
      }
    })

  const read = (node: string, query: Readonly<Record<string, string>>) =>
    nodes.request(node, document, { query })

  const formationOf = async (node: string) => {
    const answer = await nodes.request(node, "/v1/cluster")
    return Schema.decodeUnknownSync(ClusterDescription)(await answer.json()).formation
  }

  it("form by an operator's word without a missing member, which takes part later", async () => {
    await nodes.start("n2")
    // Without the word, strict requests wait for the third.
    expect((await add("n2", { key: "before", w: "1", pw: "1" })).status).toBe(503)
    await nodes.start("n1", "--form")
    await until("the two have formed", async () => (await add("n2", { key: "k", ...strict })).ok, {
      withinMillis: 20_000
    })
    expect(await formationOf("n1"))
      .toEqual({ formed: true, completeness: "complete", awaited: [] })
    await nodes.start("n3")
    await until("the third knows", async () => (await formationOf("n3"))?.formed === true)
    expect(await formationOf("n3")).toMatchObject({ completeness: "incomplete" })
    // It takes writes and answers reads, and its vote is no complete replica's.
    expect((await add("n3", { key: "whole", w: "3", dw: "3", pw: "2" })).ok).toBe(true)
    expect((await add("n3", { key: "whole", w: "3", pw: "3", timeout: "500" })).status).toBe(503)
    expect(await (await read("n3", { key: "k", r: "2" })).json()).toBeGreaterThan(0)
  })

  it("count an Idempotency-Key once that all get at once, 30 times of 30", async () => {
    for (let round = 0; round < 30; round++) {
      const key = `at once ${round}`
      const answers = await Promise.all(
        members.map((node) => add(node, { key, w: "3" }, `id ${round}`))
      )
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(await (await read("n1", { key, r: "3" })).json()).toBe(1)
    }
    // The same for one document: each of 30 ids counts once.
    for (let round = 0; round < 30; round++) {
      await Promise.all(members.map((node) => add(node, { key: "one", w: "3" }, `of one ${round}`)))
    }
    expect(await (await read("n2", { key: "one", r: "3" })).json()).toBe(30)
  })
})
