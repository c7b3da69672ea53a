// Checks the explanation of one document: the state of each replica, and the join of all.
import { afterEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { Explanation } from "../../schemas/Explanation.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { explain, read, write } from "../cluster/asked.ts"
import { buckets, notes, profiles, scores } from "../cluster/buckets.ts"
import { clusterName, makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { until } from "../tooling/until.ts"

let cluster: MemoryCluster
afterEach(() => cluster.stop())

const n3 = NodeId.make("n3")

describe("an explanation", () => {
  it("of a converged document shows the same on every primary, and the fallbacks", async () => {
    cluster = await makeCluster({ nodes: 4, buckets })
    const [at] = cluster.backends
    await write(at!, "profiles", { key: "ada", op: "put", args: [{ name: "Ada" }], w: "all" })
    const explanation = await explain(at!, "profiles", { key: "ada" })
    expect(explanation).toMatchObject({ bucket: "profiles", key: "ada", agreed: true })
    expect(explanation.preferenceList.map(({ role }) => role))
      .toEqual(["primary", "primary", "primary", "fallback"])
    const primaries = explanation.preferenceList.slice(0, 3).map(({ node }) => node)
    expect(explanation.replicas.map(({ node }) => node)).toEqual(primaries)
    const { bytes, context, digest, values } = explanation.joined
    for (const replica of explanation.replicas) {
      expect(replica).toMatchObject({ outcome: "found", bytes, context, digest, values })
    }
    expect(values).toEqual([{ name: "Ada" }])
    expect(primaries).toContain(context[0]?.node)
    expect(context[0]?.actor.startsWith(`${context[0]?.node}.`)).toBe(true)
    expect(Schema.is(Explanation)(explanation)).toBe(true)
  })

  it("is the same whichever node is asked, a primary or not", async () => {
    cluster = await makeCluster({ nodes: 4, buckets })
    await write(cluster.backends[0]!, "notes", { key: "k", op: "put", args: ["v"], w: "all" })
    const explanations = await Promise.all(
      cluster.backends.map((backend) => explain(backend, "notes", { key: "k" }))
    )
    for (const { explainedBy: _, ...explanation } of explanations) {
      const { explainedBy: _, ...first } = explanations[0]!
      expect(explanation).toEqual(first)
    }
    expect(explanations.map(({ explainedBy }) => explainedBy)).toEqual(["n1", "n2", "n3", "n4"])
  })

  it("of siblings shows which replica holds which, and changes neither", async () => {
    cluster = await makeCluster({ nodes: 3, buckets, timeoutMillis: 300 })
    const [n1Client, , n3Client] = cluster.backends
    cluster.cut(n3)
    const put = { key: "k", op: "put", w: 1 } as const
    await write(n1Client!, "scores", { ...put, args: [3] })
    await write(n3Client!, "scores", { ...put, args: [5] })
    await until(
      "no client waits any more",
      () => cluster.nodes.every(({ core }) => core.coordinator.underWay() === 0)
    )
    cluster.heal()
    for (let asked = 0; asked < 2; asked++) {
      const explanation = await explain(n1Client!, "scores", { key: "k" })
      const byNode = Object.fromEntries(explanation.replicas.map((r) => [r.node, r.values]))
      expect(byNode).toEqual({ n1: [3], n2: [3], n3: [5] })
      expect(explanation.agreed).toBe(false)
      expect(explanation.joined.merged).toBe(5)
      expect(new Set(explanation.joined.values)).toEqual(new Set([3, 5]))
      expect(explanation.joined.context).toHaveLength(2)
    }
    await read(n1Client!, "scores", { key: "k", r: "all" })
    await until(
      "the read has repaired the replicas",
      () => cluster.nodes.every(({ core }) => core.coordinator.underWay() === 0)
    )
    const repaired = await explain(n1Client!, "scores", { key: "k" })
    expect(repaired.agreed).toBe(true)
  })

  it("names unreachable nodes, and still shows the others", async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    const [at] = cluster.backends
    await write(at!, "profiles", { key: "ada", op: "put", args: [{ name: "Ada" }], w: "all" })
    cluster.cut(n3)
    const explanation = await explain(at!, "profiles", { key: "ada", timeoutMillis: 50 })
    const outcomes = Object.fromEntries(explanation.replicas.map((r) => [r.node, r.outcome]))
    expect(outcomes).toEqual({ n1: "found", n2: "found", n3: "unreachable" })
    expect(explanation.agreed).toBe(false)
    expect(explanation.joined.values).toEqual([{ name: "Ada" }])
  })

  it("of a document that no replica holds says so", async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    const explanation = await explain(cluster.backends[0]!, "profiles", { key: "absent" })
    expect(explanation.replicas.map(({ outcome }) => outcome))
      .toEqual(["absent", "absent", "absent"])
    expect(explanation).toMatchObject({ agreed: true, joined: { values: [], bytes: 0 } })
  })

  it("of a deleted document shows its tombstone: a context and no value", async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    const [at] = cluster.backends
    await write(at!, "profiles", { key: "ada", op: "put", args: [{ name: "Ada" }], w: "all" })
    await write(at!, "profiles", { key: "ada", op: "delete", w: "all" })
    const { joined, replicas } = await explain(at!, "profiles", { key: "ada" })
    expect(joined.values).toEqual([])
    expect(joined.context).not.toEqual([])
    expect(replicas.map(({ outcome }) => outcome)).toEqual(["deleted", "deleted", "deleted"])
  })

  it("names a damaged copy, and a node that declares the bucket otherwise", async () => {
    const otherNotes = { ...notes.definition, schema: "0000000000000000" }
    cluster = await makeCluster({
      nodes: 3,
      buckets: (node) => (node === n3 ? [profiles, otherNotes, scores] : buckets)
    })
    const [at] = cluster.backends
    await write(at!, "notes", { key: "k", op: "put", args: ["v"], w: 2 })
    cluster.nodes[1]!.disk.database.exec("UPDATE documents SET bytes = x'00'")
    const { replicas } = await explain(at!, "notes", { key: "k" })
    const byNode = Object.fromEntries(replicas.map((replica) => [replica.node, replica]))
    expect(byNode["n1"]).toMatchObject({ outcome: "found" })
    expect(byNode["n2"]).toMatchObject({ outcome: "damaged" })
    expect(byNode["n3"]).toMatchObject({ outcome: "refused" })
    expect(byNode["n3"]?.reason).toContain("declared otherwise")
  })

  it("is refused for a bucket that is not there and a key that is none, far and near", async () => {
    cluster = await makeCluster({ nodes: 1, buckets })
    const transport = cluster.connect()
    const remote = new NatsBackend({ runtime: liveRuntime, transport, cluster: clusterName })
    for (const at of [cluster.backends[0]!, remote]) {
      await expect(explain(at, "nothing", { key: "k" })).rejects.toMatchObject({
        _tag: "UnknownBucket"
      })
      await expect(explain(at, "notes", { key: 7 })).rejects.toMatchObject({ _tag: "InvalidKey" })
    }
    remote.close()
  })

  it("reaches a client over NATS as it does one in the node's process", async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    const transport = cluster.connect()
    const remote = new NatsBackend({ runtime: liveRuntime, transport, cluster: clusterName })
    const [at] = cluster.backends
    await write(at!, "shelves", { key: "k", op: "books.add", args: ["Emma"], w: "all" })
    const explanation = await explain(remote, "shelves", { key: "k" })
    const { explainedBy: _, ...near } = await explain(at!, "shelves", { key: "k" })
    expect(explanation).toMatchObject(near)
    expect(explanation.joined.values).toEqual([{ books: ["Emma"], label: null, visits: 0 }])
    remote.close()
  })
})
