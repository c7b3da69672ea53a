// Checks that deleting by key, which reads first, asks for no more replicas than it was told.
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeClient } from "../../src/client/Everwrite.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"

describe("deleting siblings by key", () => {
  let cluster: MemoryCluster
  beforeAll(async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
  })
  afterAll(() => cluster.stop())

  it("succeeds on a node that is cut off, where one replica is enough", async () => {
    const handle = makeClient(cluster.backends[0]!).bucket(notes)
    cluster.cut(cluster.nodes[0]!.id)
    const available = { consistency: "available" } as const
    await Effect.runPromise(handle.update("page", () => "written", available))
    const deleted = await Effect.runPromise(handle.delete("page", available))
    expect(deleted._tag).toBe("Absent")
  })
})
