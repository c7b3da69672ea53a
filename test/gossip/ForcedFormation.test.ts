// Checks that a node which an operator told to form is judged by members that come back later.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Schema from "effect/Schema"
import { afterEach, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })

let stepped: SteppedCluster
const directory = mkdtempSync(join(tmpdir(), "everwrite-forced-"))
afterEach(() => {
  stepped.stop()
  rmSync(directory, { recursive: true, force: true })
})

const write = (count: number): void => {
  for (let i = 0; i < count; i++) {
    stepped.write(1, texts, { key: `k${i}`, op: "put", args: ["x"], w: 1 })
    stepped.runtime.advance(10)
  }
  stepped.runtime.advance(lan.node.toldMillis + 1_000)
}

const restart = async (disk?: MemoryDisk): Promise<void> => {
  stepped.cluster.crash(node(1))
  await stepped.restart(1, disk)
  stepped.runtime.advance(lan.node.formWaitMillis + 1_000)
}

const status = () => stepped.nodes.find(({ id }) => id === node(1))!.core.formation.status()

/** Loses all frames of the other two, or none. */
const away = (isAway: boolean): void => {
  stepped.loses = () => isAway
  stepped.runtime.advance(2_000)
}

const formed = async (): Promise<void> => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets: [texts], forced: [node(1)] })
  write(3)
}

const copy = (): MemoryDisk => {
  const path = join(directory, "store.sqlite")
  const { database, logs } = stepped.nodes[0]!.disk
  database.exec(`VACUUM INTO '${path}'`)
  return Object.assign(new MemoryDisk(), { database: new DatabaseSync(path), logs })
}

it("is incomplete once a member was told of more than it had, though it has grown", async () => {
  await formed()
  const before = copy()
  write(5)
  away(true)
  await restart(before)
  expect(status().completeness).toBe("complete")
  write(20)
  await restart()
  expect(status().completeness).toBe("complete")
  away(false)
  expect(status()).toMatchObject({ completeness: "incomplete", own: "amnesiac" })
  await restart()
  expect(status().completeness).toBe("incomplete")
})

it("stays complete where nothing was lost, whatever it wrote before the others came", async () => {
  await formed()
  away(true)
  await restart()
  write(20)
  away(false)
  write(20)
  await restart()
  expect(status()).toMatchObject({ completeness: "complete", own: "named" })
})
