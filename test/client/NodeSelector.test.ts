// Checks that a client asks the owners that its cluster tells it, whatever the members suggest.
import * as Result from "effect/Result"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { describe as describeCluster } from "../../schemas/DescribeCluster.ts"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { NodeSelector } from "../../src/client/NodeSelector.ts"
import { encodeKey } from "../../src/core/model/KeyFields.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import * as MembershipLog from "../../src/core/ring/MembershipLog.ts"
import { partitionOf } from "../../src/core/ring/Partition.ts"
import * as RingState from "../../src/core/ring/RingState.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { clusterName } from "../cluster/memoryCluster.ts"
import { Asked, SteppedCluster } from "../cluster/steppedCluster.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const partitionCount = 16
const options = { partitionCount, replicaCount: 3 }
const ids = ["n1", "n2", "n3", "n4", "n5"].map((name) => NodeId.make(name))
const members = ids.map((id) => ({ id, weight: 1 }))

/** Three nodes formed the cluster, and two joined later. */
const grown = (): RingState.RingState => {
  const log = MembershipLog.append(MembershipLog.form(members.slice(0, 3)), {
    author: ids[0]!,
    changes: [
      { _tag: "Join", member: members[3]! },
      { _tag: "Join", member: members[4]! }
    ],
    settled: true
  })
  return RingState.make({ ...options, log: Result.getOrThrow(log) })
}

const keys = Array.from({ length: 40 }, (_, index) => `k${index}`)
const request = (key: string) => ({
  action: "read" as const,
  bucket: BucketName.make(notes.name),
  body: { key }
})
const ownersOf = (state: RingState.RingState, key: string) => {
  const { partition: partitionKey } = encodeKey(notes.definition.key, key)
  return state.ring.owners[partitionOf({ bucket: notes.name, partitionKey, partitionCount })]!
}

describe("a client of a cluster that has grown", () => {
  let stepped: SteppedCluster
  beforeEach(async () => {
    stepped = await SteppedCluster.start({ nodes: 5, buckets, partitionCount, ring: grown() })
  })
  afterEach(() => stepped.stop())

  it("sends each request to an owner, though the members alone suggest others", () => {
    const formed = RingState.make({ ...options, log: MembershipLog.form(members) })
    expect(keys.some((key) => ownersOf(formed, key)[0] !== ownersOf(grown(), key)[0])).toBe(true)
    const sent: Array<string> = []
    const transport = stepped.cluster.connect()
    const { runtime } = stepped
    const watched = {
      ...transport,
      publish: (...message: Parameters<typeof transport.publish>) => {
        sent.push(message[0])
        transport.publish(...message)
      }
    }
    const backend = new NatsBackend({ runtime, transport: watched, cluster: clusterName })
    backend.ready(() => undefined, () => undefined, () => undefined)
    runtime.runReady()
    for (const key of keys) {
      const asked = new Asked()
      sent.length = 0
      backend.request(request(key), (outcome) => asked.outcomes.push(outcome))
      runtime.runReady()
      expect(asked.answer.values).toEqual([])
      const [first] = ownersOf(grown(), key)
      expect(sent).toEqual([`everwrite.test.v1.node.${first}.read.notes.get`])
    }
    for (const at of [1, 2, 3, 4, 5]) expect(stepped.counts(at).forwards).toBe(0)
    backend.close()
  })
})

const chosen = (told: ClusterDescription) => {
  const selector = new NodeSelector(new SteppedRuntime(), lan.client)
  selector.learn(told)
  return keys.map((key) => selector.nodeFor(request(key), new Set()))
}

describe("a selector", () => {
  const description = describeCluster({
    cluster: "test",
    node: "n1",
    ring: grown().ring,
    buckets: Buckets.make(buckets).values()
  })
  it("takes the owners from the description, in order", () => {
    expect(chosen(description)).toEqual(keys.map((key) => ownersOf(grown(), key)[0]))
  })

  it("goes back to an owner that has answered since it was believed unreachable", () => {
    const selector = new NodeSelector(new SteppedRuntime(), lan.client)
    selector.learn(description)
    const [key] = keys
    const first = selector.nodeFor(request(key!), new Set())
    for (const id of ids) selector.unreachable(id)
    expect(selector.nodeFor(request(key!), new Set())).toBeUndefined()
    selector.answered(first!, 500)
    expect(selector.nodeFor(request(key!), new Set())).toBe(first)
  })

  it.each<[string, Partial<ClusterDescription>]>([
    ["not at all", { owners: undefined }],
    ["of another version", { owners: { version: 2, indexes: description.owners!.indexes } }],
    ["that are no members", { owners: { version: 1, indexes: Array<number>(48).fill(5) } }],
    ["that are not whole numbers", {
      owners: { version: 1, indexes: Array<number>(48).fill(0.5) }
    }],
    ["of too few partitions", { owners: { version: 1, indexes: [0, 1, 2] } }],
    ["of no partition", { owners: { version: 1, indexes: [] } }],
    ["of a ring that is none", { partitionCount: 15 }],
    ["that are no names", { members: description.members.map((one) => ({ ...one, id: "n.>" })) }]
  ])("leaves the choice to the broker where it is told owners %s", (_, told) => {
    expect(new Set(chosen({ ...description, ...told }))).toEqual(new Set([undefined]))
  })
})
