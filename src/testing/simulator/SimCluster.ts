/**
 * Holds one simulated cluster: its nodes on one kernel and one network, and the records about them.
 * Faults act on it, clients ask its nodes.
 */
import * as Redacted from "effect/Redacted"
import * as CanonicalJson from "../../core/model/CanonicalJson.ts"
import type { DocumentKey } from "../../core/model/DocumentKey.ts"
import { decodeKey, encodeKey } from "../../core/model/KeyFields.ts"
import { lan, type NodeLimits } from "../../core/model/Limits.ts"
import { ClusterName, NodeId } from "../../core/model/Names.ts"
import type { Member } from "../../core/ring/Membership.ts"
import * as MembershipLog from "../../core/ring/MembershipLog.ts"
import * as Ring from "../../core/ring/Ring.ts"
import * as RingState from "../../core/ring/RingState.ts"
import type { Any } from "../../core/strategy/Bucket.ts"
import * as Buckets from "../../core/strategy/Buckets.ts"
import { invariant } from "../../core/Invariant.ts"
import { accepted } from "../../core/clock/ClusterKeys.ts"
import { toKeys } from "../../node/ClusterKey.ts"
import { rowKeyOf } from "../../core/ring/Partition.ts"
import { type RowKey, textOf } from "../../core/model/RowKey.ts"
import { DiskContexts } from "./DiskContexts.ts"
import { FillingWatch } from "./FillingWatch.ts"
import { HandoffWatch } from "./HandoffWatch.ts"
import { Kernel, outside, type Owner } from "./Kernel.ts"
import type { Loss } from "./History.ts"
import { Ledger } from "./Ledger.ts"
import { documentNameOf, type Plan } from "./Plan.ts"
import { ownScenario, type Scenario } from "./Scenario.ts"
import { stream } from "./SeededRandom.ts"
import { LoadTally } from "./LoadTally.ts"
import { SimNetwork } from "./SimNetwork.ts"
import { type Build, build, type MakeDisk, SimNode } from "./SimNode.ts"
import { Story } from "./Story.ts"

/** Short timeouts, so that a run of some seconds sees many requests end. */
const limitsOf = ({ cacheBytesMax, limits }: Plan): NodeLimits => ({
  ...lan.node,
  skewMillis: 10_000,
  clockWindowMillis: 5_000,
  readTimeoutMillis: 1_000,
  writeTimeoutMillis: 1_000,
  lateReplyBytesMax: 10_000,
  // Plans that have no interval show what reads alone repair.
  exchangeMillis: 0,
  cacheBytesMax,
  ...limits
})

const ringOf = (plan: Plan): RingState.RingState => {
  const members = plan.nodes.map((id): Member => ({ id: NodeId.make(id), weight: 1 }))
  return RingState.make({
    partitionCount: plan.partitionCount,
    replicaCount: Ring.defaultReplicaCount,
    log: MembershipLog.form(members)
  })
}

/** A document, as plans name it. */
export interface Named {
  readonly bucket: string
  readonly key: string
}

export interface SimClusterOptions {
  readonly plan: Plan
  /**
   * The buckets and the clients' operations; the simulator's own unless an application brings them.
   */
  readonly scenario?: Scenario
  /** Makes the nodes; the product's own unless a test puts broken parts in. */
  readonly build?: Build
  /** Makes their disks where the plan asks for real databases; models unless a test brings it. */
  readonly disk?: MakeDisk
  /** The document whose story is to be told. */
  readonly story?: { readonly bucket: string; readonly key: string }
}

export class SimCluster {
  readonly kernel: Kernel
  readonly network: SimNetwork
  readonly nodes: ReadonlyMap<string, SimNode>
  readonly ledger = new Ledger(() => this.kernel.now)
  readonly contexts = new DiskContexts()
  readonly handoff = new HandoffWatch({
    contexts: this.contexts,
    isDoubtful: (node) => this.damaged.has(node) || this.twinned.has(node),
    targetsOf: (node, key) => this.node(node).core?.replica.hints.targetsOf(key) ?? []
  })
  readonly load: LoadTally
  readonly nodeLimits: NodeLimits
  /** The requests that each node takes whatever it measures. */
  readonly admittedMin: number
  /** Whether clients' requests may come in messages that are refused as a whole. */
  readonly refusesWhole: boolean
  readonly marks = new Map<string, number>()
  readonly incarnations: Array<{ readonly node: string; readonly incarnation: string }> = []
  /** Nodes whose disks lost or damaged data. */
  readonly damaged = new Set<string>()
  /** The losses of disks that their files do not tell. */
  readonly losses: Array<Loss> = []
  readonly filling = new FillingWatch({
    contexts: this.contexts,
    documents: () =>
      this.#named.map((one) => ({ ...one, row: this.rowOf(one), primaries: this.primaries(one) })),
    nodes: () => [...this.nodes.values()].map(({ id }) => id),
    read: (node, row) => this.node(node).core?.replica.read(row),
    losses: this.losses,
    isMended: (node, row) => this.node(node).core?.replica.mended.has(row) === true,
    isTwinned: (node) => this.twinned.has(node)
  })
  /** Nodes of which two processes have run at a time. */
  readonly twinned = new Set<string>()
  /** How far any node's clock has been off when it was looked at. */
  clockErrorMillis = 0
  /** When everything was mended; Infinity before. */
  healedAt = Infinity
  /** How often each class of faults did something. */
  readonly injected = new Map<string, number>()
  readonly outside: Owner = outside()
  readonly clusterKeys = toKeys({ current: Redacted.make("of the simulated cluster") })
  /** As they open contexts. */
  readonly keys = accepted(this.clusterKeys)
  readonly ring: Ring.Ring
  readonly scenario: Scenario
  readonly cluster = ClusterName.make("simulated")
  readonly story: Story | undefined
  /** The documents of the plan. */
  readonly #named: ReadonlyArray<Named>

  constructor(options: SimClusterOptions) {
    const { build: make = build, disk, plan, scenario = ownScenario, story } = options
    const { seed } = plan
    const kernel = new Kernel(stream(seed, "schedule"))
    const random = stream(seed, "network")
    const { maxPayloadBytes } = plan
    const did = (fault: string) => this.did(fault)
    const network = new SimNetwork({
      kernel,
      outside: this.outside,
      random,
      turning: stream(seed, "turned bits"),
      maxPayloadBytes,
      did
    })
    const ring = ringOf(plan)
    this.kernel = kernel
    this.load = new LoadTally(kernel)
    this.nodeLimits = limitsOf(plan)
    this.admittedMin = this.nodeLimits.admittedMin
    this.refusesWhole = plan.limits?.admittedMin !== undefined
    this.network = network
    this.ring = ring.ring
    this.scenario = scenario
    const named = plan.operations.map(({ bucket, key }) => ({ bucket, key }))
    this.#named = [...new Map(named.map((one) => [documentNameOf(one), one])).values()]
    this.story = story === undefined ? undefined : new Story(story, () => kernel.now)
    const buckets = Buckets.make(scenario.buckets)
    const { cluster } = this
    const nodes = this.ring.members.map(({ id: node }) =>
      new SimNode({
        kernel,
        network,
        seed,
        node,
        cluster,
        ring,
        buckets,
        keys: this.clusterKeys,
        limits: this.nodeLimits,
        supervisor: this.outside,
        build: make,
        disk: plan.disk === "sqlite" ? disk : undefined,
        did,
        mark: (path) => {
          this.marks.set(path, (this.marks.get(path) ?? 0) + 1)
          if (path === "formation: the own store is filled") this.filling.filled(node)
        },
        began: (of, incarnation) => {
          this.incarnations.push({ node: of, incarnation })
          this.story?.began(of, incarnation)
        },
        asked: (batch) => {
          this.ledger.asked(node, batch)
          this.handoff.asked(node, batch)
        },
        stored: (key, header) => void this.contexts.stored(key, header),
        wrote: (name, key, document) => {
          if (document === undefined) return this.contexts.removed(name, key)
          this.ledger.committed(node, key, document)
          this.contexts.committed(name, key, document)
          this.story?.wrote(node, key, document)
        }
      })
    )
    this.nodes = new Map(nodes.map((node) => [node.id, node]))
  }

  node(id: string): SimNode {
    const node = this.nodes.get(id)
    invariant(node !== undefined, `there is a node ${id}`)
    return node
  }

  bucket(name: string): Any {
    const bucket = this.scenario.buckets.find((known) => known.name === name)
    invariant(bucket !== undefined, `there is a bucket ${name}`)
    return bucket
  }

  keyOf(document: Named): DocumentKey {
    const { definition } = this.bucket(document.bucket)
    const json = definition.key.bare ? document.key : CanonicalJson.decode(document.key)
    return encodeKey(definition.key, json)
  }

  /** The key as its application has it. */
  idOf(document: Named): unknown {
    const { key } = this.bucket(document.bucket)
    return key.codec.decode(decodeKey(key.definition, this.keyOf(document)))
  }

  rowOf(document: Named): RowKey {
    const { partitionCount } = this.ring
    return rowKeyOf({ bucket: document.bucket, key: this.keyOf(document), partitionCount })
  }

  /** Whether a node that is to keep the document cannot read it. */
  isDamaged(document: Named): boolean {
    const row = this.rowOf(document)
    return this.primaries(document).some((id) =>
      this.node(id).core?.replica.read(row)._tag === "Damaged"
    )
  }

  primaries(document: Named): ReadonlyArray<string> {
    const { definition } = this.bucket(document.bucket)
    const { partition } = this.rowOf(document)
    return Ring.preferenceList(this.ring, partition).slice(0, definition.n)
  }

  get isUp(): boolean {
    return [...this.nodes.values()].every((node) => node.isUp)
  }

  /** Looks at all clocks: before and after each change of one, and when an operation ends. */
  noteClocks(): number {
    for (const { clockErrorMillis } of this.nodes.values()) {
      this.clockErrorMillis = Math.max(this.clockErrorMillis, clockErrorMillis)
    }
    return this.clockErrorMillis
  }

  start(): void {
    for (const node of this.nodes.values()) node.start()
  }

  /** Counts that a fault took effect: a fault that met nothing was none. */
  did(fault: string): void {
    this.injected.set(fault, (this.injected.get(fault) ?? 0) + 1)
  }

  /** The same for one that a disk does not survive whole: data that only it held are forfeit. */
  didDamage(fault: string, node: string): void {
    this.did(fault)
    this.damaged.add(node)
    this.filling.loses(node)
    this.ledger.forget(node)
    this.contexts.forget(node)
  }

  /** Notes that a disk lost data and its file does not tell: all of it, or one row. */
  didLose(node: string, row?: RowKey): void {
    const { now: at } = this.kernel
    if (row === undefined) return void this.losses.push({ node, at, document: undefined })
    for (const named of this.#named) {
      if (textOf(this.rowOf(named)) !== textOf(row)) continue
      this.losses.push({ node, at, document: documentNameOf(named) })
    }
  }

  /** All processes die, which frees the memory of real databases. */
  end(): void {
    for (const node of this.nodes.values()) {
      node.endTwin()
      node.crash()
    }
  }

  /** Mends network, disks and processes; lost data stay lost. Clocks stay wrong. */
  heal(): void {
    this.network.heal()
    for (const node of this.nodes.values()) {
      node.disk.heal()
      node.endTwin()
      node.start()
    }
  }
}
