/**
 * Lends tests a backend that answers as they say, to bring about errors that a healthy cluster does
 * not.
 */
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { describeBucket } from "../../schemas/DescribeCluster.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { NodeUnavailable } from "../../src/core/model/StoreError.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { buckets } from "../cluster/buckets.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const description: ClusterDescription = {
  cluster: "test",
  node: "n1",
  partitionCount: 16,
  ringDigest: "0000000000000000",
  members: [{ id: "n1", weight: 1, zone: null }],
  owners: { version: 1, indexes: Array<number>(16).fill(0) },
  buckets: [...Buckets.make(buckets).values()].map(describeBucket)
}

const refuse = (_request: unknown, respond: (outcome: NodeUnavailable) => void): void =>
  respond(new NodeUnavailable({ node: "n1", reason: "it is a stub" }))

export const stubBackend = (parts: Partial<Backend>): Backend => {
  return {
    runtime: liveRuntime,
    request: refuse,
    explain: refuse,
    list: refuse,
    describe: (respond) => respond(description),
    ...parts
  }
}
