// Checks that the context of an answer lets the next write replace only the values it showed.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { read, write } from "../cluster/asked.ts"
import { buckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"

describe("the context of an answer", () => {
  let cluster: MemoryCluster
  beforeAll(async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
  })
  afterAll(() => cluster.stop())

  it("lets no write replace a value that its session saw and the answer did not show", async () => {
    const [first, second] = cluster.backends
    const available = { key: "page", consistency: "available" } as const
    cluster.cut(cluster.nodes[0]!.id)
    const seen = await write(first!, "notes", { ...available, op: "put", args: ["a"] })
    const after = [seen.context]
    const shown = await write(second!, "notes", { ...available, op: "put", args: ["b"], after })
    expect(shown.values).toEqual(["b"])
    const replacing = { ...available, op: "put", args: ["c"], context: shown.context, after }
    const replaced = await write(second!, "notes", replacing)
    cluster.heal()
    const { values } = await read(first!, "notes", {
      key: "page",
      r: "all",
      after: [replaced.context]
    })
    expect(new Set(values)).toEqual(new Set(["a", "c"]))
  })

  it("makes the session's next read cover the value that the answer did not show", async () => {
    const [first, second] = cluster.backends
    const available = { key: "other", consistency: "available" } as const
    cluster.cut(cluster.nodes[0]!.id)
    const seen = await write(first!, "notes", { ...available, op: "put", args: ["a"] })
    const after = [seen.context]
    const shown = await write(second!, "notes", { ...available, op: "put", args: ["b"], after })
    const reading = read(second!, "notes", { ...available, after: [shown.context] })
    await expect(reading).rejects.toThrow("have seen less than this session")
    cluster.heal()
    const { values } = await read(second!, "notes", { ...available, after: [shown.context] })
    expect(new Set(values)).toEqual(new Set(["a", "b"]))
  })
})
