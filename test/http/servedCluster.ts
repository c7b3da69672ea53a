/** Lends the tests of a file one HTTP server, before a healthy cluster of three nodes in memory. */
import { afterAll, beforeAll } from "vitest"
import { buckets as sharedBuckets } from "../cluster/buckets.ts"
import { makeCluster, type MemoryCluster } from "../cluster/memoryCluster.ts"
import { startServer, type TestServer } from "./served.ts"

export interface ServedCluster extends Omit<TestServer, "stop"> {
  /** The server asks the first of its nodes. */
  readonly cluster: MemoryCluster
}

const started = <A>(part: A | undefined): A => {
  if (part === undefined) throw new Error("the server runs only while tests do")
  return part
}

/** A server with fields that can be read while tests run; it is gone after them. */
export const useServedCluster = (
  { buckets = sharedBuckets }: Partial<Pick<Parameters<typeof makeCluster>[0], "buckets">> = {}
): ServedCluster => {
  let cluster: MemoryCluster | undefined
  let server: TestServer | undefined
  beforeAll(async () => {
    cluster = await makeCluster({ nodes: 3, buckets })
    server = await startServer({ backend: cluster.backends[0]! })
  })
  afterAll(async () => {
    await server?.stop()
    cluster?.stop()
  })
  return {
    get cluster() {
      return started(cluster)
    },
    get url() {
      return started(server).url
    },
    get port() {
      return started(server).port
    },
    get logged() {
      return started(server).logged
    }
  }
}
