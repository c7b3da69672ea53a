// Checks a node, and a cluster for tests, in programs with Promises.
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { connectWith } from "../../src/client/Promises.ts"
import { EverwriteNode } from "../../src/node/NodeService.ts"
import { startNode } from "../../src/node/NodePromise.ts"
import { startTestCluster } from "../../src/node/TestCluster.ts"
import { profiles, scores, shelves } from "../cluster/buckets.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const folder = mkdtempSync(join(tmpdir(), "everwrite-node-promise-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("a node of a program with Promises", () => {
  const config = {
    buckets: [shelves],
    dataDir: join(folder, "node"),
    nats: "embedded",
    http: false
  } as const

  it("answers its own program without a hop, and keeps its data when it stops", async () => {
    {
      await using node = await startNode(config)
      expect(node.http).toBeUndefined()
      expect(node.nats).toMatch(/^nats:/u)
      const db = node.db({ shelves })
      await db.shelves.visits.add("s", 2)
      await db.close()
      expect((await node.db({ shelves }).shelves.visits.add("s", 1))._tag).toBe("Found")
    }
    const node = await startNode(config)
    expect((await node.db({ shelves }).shelves.get("s"))?.visits).toBe(3)
    await Promise.all([node.stop(), node.stop()])
  })

  it("compares its documents with those of the others for its program", async () => {
    await using node = await startNode({ ...config, dataDir: join(folder, "synced") })
    expect(await node.sync({ bucket: "shelves" })).toMatchObject({ bucket: "shelves", nodes: [] })
    await expect(node.sync({ bucket: "none" })).rejects.toMatchObject({ _tag: "UnknownBucket" })
  })

  it("tells its program what it keeps for other nodes", async () => {
    await using node = await startNode({ ...config, dataDir: join(folder, "keeping") })
    expect(await node.hints()).toMatchObject({ node: node.name, bytes: 0, nodes: [] })
    expect(await node.status()).toMatchObject({ nodes: [{ told: { node: node.name } }] })
  })

  it("describes the values of its buckets over HTTP by their schemas", async () => {
    const served = { ...config, buckets: [profiles], dataDir: join(folder, "described"), http: 0 }
    await using node = await startNode(served)
    const { paths }: any = await (await fetch(`${node.http}/openapi.json`)).json()
    const { schema } =
      paths["/v1/buckets/profiles/docs"].put.requestBody.content["application/json"]
    expect(schema).toMatchObject({ type: "object", additionalProperties: false })
  })

  it("rejects with the typed error where it cannot start", async () => {
    const wrong: any = { ...config, dataDir: join(folder, "other"), members: "n7", node: "n1" }
    await expect(startNode(wrong)).rejects.toMatchObject({ _tag: "InvalidSetting" })
    const unknown: any = { ...config, colour: "red" }
    await expect(startNode(unknown)).rejects.toMatchObject({ _tag: "InvalidConfig" })
  })
})

it("a node of an Effect program shows none of the services it is made of", async () => {
  const layer = EverwriteNode.layer({
    dataDir: join(folder, "effect"),
    nats: "embedded",
    http: false
  })
  const node = await Effect.runPromise(Effect.provide(Effect.service(EverwriteNode), layer))
  expect(Object.keys(node).sort()).toEqual(["address", "ended", "name", "natsAddress"])
})

describe("a cluster for tests", () => {
  const usual = process.env["TMPDIR"]
  const own = join(folder, "own")
  beforeAll(() => {
    mkdirSync(own)
    process.env["TMPDIR"] = own
  })
  afterAll(() => {
    if (usual === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = usual
  })

  it("goes on without a node that is cut off or killed, and leaves nothing behind", async () => {
    const cluster = await startTestCluster({ profiles, scores })
    try {
      expect(cluster.db.status().nodes).toEqual(["n1", "n2", "n3"])
      cluster.isolate("n3")
      await cluster.db.profiles.put("ada", { name: "Ada" })
      cluster.heal()
      await cluster.kill("n2")
      await cluster.db.scores.update("ada", () => 3)
      await cluster.revive("n2")
      const other = await connectWith(liveRuntime, { profiles }, {
        servers: cluster.nats,
        cluster: cluster.cluster
      })
      expect(await other.profiles.get("ada")).toEqual({ name: "Ada" })
      await other.close()
      expect(readdirSync(own)).toHaveLength(1)
    } finally {
      await cluster.stop()
    }
    await cluster[Symbol.asyncDispose]()
    expect(readdirSync(own)).toEqual([])
  })
})
