// Checks with nodes that are processes that a document which a stand-in keeps outlives the death of
// both, and comes to its owner without a read. Replicas are not compared here.
import * as Schema from "effect/Schema"
import { afterAll, beforeAll, expect, it } from "vitest"
import { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import { Explanation } from "../../schemas/Explanation.ts"
import { HintReport } from "../../schemas/HintReport.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { NodeProcesses } from "./nodeProcesses.ts"

const counts = Bucket.crdt("counts", { key: Key.text, type: Crdt.counter })
const members = ["n1", "n2", "n3", "n4"]
const patient = { withinMillis: 60_000 }

describeWithNats("a document that a stand-in keeps", () => {
  let nats: NatsServer
  let nodes: NodeProcesses
  const start = (node: string) => nodes.start(node, "--exchange-millis", "0")

  beforeAll(async () => {
    nats = await startNatsServer()
    nodes = new NodeProcesses({ nats, cluster: "handed", members, buckets: [counts.definition] })
    await Promise.all(members.map(start))
  }, 120_000)
  afterAll(async () => {
    await nodes.stop()
    await nats.stop()
  })

  const asked = async (node: string, path: string, query = {}): Promise<unknown> =>
    (await nodes.request(node, path, { query })).json()

  const hintsAt = async (node: string) =>
    Schema.decodeUnknownSync(HintReport)(await asked(node, "/v1/hints"))

  const explainedBy = async (node: string) =>
    Schema.decodeUnknownSync(Explanation)(
      await asked(node, "/v1/explain", { bucket: "counts", key: "k" })
    )

  it("outlives the death of both, is delivered, and dropped, without a read", async () => {
    await until("all are complete", async () => {
      const told = await asked("n1", "/v1/status", { timeout: "5000" })
      const { nodes: all } = Schema.decodeUnknownSync(ClusterStatus)(told)
      return all.every(({ told }) => told?.formation.completeness === "complete")
    }, patient)
    const { preferenceList } = await explainedBy("n1")
    const [first = "", , owner = "", standIn = ""] = preferenceList.map(({ node }) => node)
    await nodes.kill(owner)
    const written = await nodes.request(first, "/v1/buckets/counts/docs/ops/add", {
      method: "POST",
      body: "[5]",
      query: { key: "k", w: "3", dw: "3", timeout: "30000" },
      headers: { "content-type": "application/json" }
    })
    expect([written.status, await written.json()]).toEqual([200, 5])
    await until("the stand-in believes the owner down", async () => {
      const { nodes: [kept] } = await hintsAt(standIn)
      return kept?.believedUp === false
    }, patient)
    expect(await hintsAt(standIn)).toMatchObject({ nodes: [{ node: owner, documents: 1 }] })
    expect((await explainedBy(first)).hints?.kept).toMatchObject([{ node: standIn, owner }])
    await nodes.kill(standIn)
    await start(standIn)
    expect(await hintsAt(standIn)).toMatchObject({ nodes: [{ node: owner, documents: 1 }] })
    await start(owner)
    await until("the document is handed over", async () => {
      const { bytes, nodes: [kept] } = await hintsAt(standIn)
      return bytes === 0 && kept?.node === owner && kept.deliveredMillis !== undefined
    }, patient)
    const { agreed, hints, replicas } = await explainedBy(first)
    expect(replicas.map(({ node, values }) => [node, values])).toContainEqual([owner, [5]])
    expect({ agreed, hints }).toEqual({ agreed: true, hints: { kept: [], untold: [] } })
  }, 240_000)
})
