/** Lends tests a folder of their own, and the settings of a node with it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach } from "vitest"
import type { Config } from "../../src/node/ConfigFile.ts"
import { sampleBuckets } from "../../src/node/SampleBuckets.ts"

/** A folder for each test; it is gone after it. */
export const useFolder = (): () => string => {
  let folder = ""
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "everwrite-node-"))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  return () => folder
}

/** One node on a broker of its own, with the sample buckets. */
export const alone = (dataDir: string): Config => ({
  buckets: [...sampleBuckets],
  clusterKey: "a key for the tests",
  nats: "embedded",
  http: false,
  logLevel: "none",
  dataDir
})
