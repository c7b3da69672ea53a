/**
 * Watches what the nodes of a run believe of each other, and know of each other by gossip: notes
 * each belief that has lasted too long, and each piece of knowledge that went back.
 */
import type { MemberFacts } from "../../core/membership/MemberFacts.ts"
import * as Version from "../../core/membership/Version.ts"
import type { NodeCore } from "../../node/NodeCore.ts"
import type { SimCluster } from "./SimCluster.ts"

/** How often the nodes are looked at. */
const lookMillis = 250
/**
 * After so long since everything was mended, each node believes each other up: brokers have been
 * found again, and all nodes have greeted all others at the slowest, and refuted what was believed.
 */
const settleMillis = 25_000
/** Faults that one watch names; more say no more. */
const problemsMax = 20

export class BeliefWatch {
  readonly problems: Array<string> = []
  readonly #cluster: SimCluster
  /** By process: what it knew of each member when it was looked at last. */
  readonly #known = new WeakMap<NodeCore, Map<string, Version.Version>>()
  /** From then on nobody may be believed down. */
  #settledAt = Infinity
  #isOver = false

  constructor(cluster: SimCluster) {
    this.#cluster = cluster
  }

  start(): void {
    const { kernel, outside } = this.#cluster
    kernel.at(outside, kernel.now + lookMillis, () => {
      this.#look()
      if (!this.#isOver) this.start()
    })
  }

  /** Everything is mended now. */
  healed(): void {
    this.#settledAt = this.#cluster.kernel.now + settleMillis
  }

  /** At rest, each node believes each other up, and knows of it what that one tells of itself. */
  checkRest(): void {
    this.#isOver = true
    const cores = this.#cores()
    for (const { memberWatch, options: { node } } of cores) {
      const known = new Map(memberWatch.facts().map((facts) => [facts.node, facts]))
      for (const other of cores) {
        const { node: id } = other.options
        if (id === node) continue
        const belief = memberWatch.belief(id)
        if (belief !== "up") this.#note(`at rest, ${node} believes ${id} ${belief}`)
        const told = other.memberWatch.facts().find((facts) => facts.node === id)
        if (!isSame(known.get(id), told)) this.#note(`at rest, ${node} knows of a former ${id}`)
      }
    }
  }

  /** One node has stopped for as long as it may take to notice that. */
  checkStopped(stopped: string): void {
    for (const { memberWatch, options: { node } } of this.#cores()) {
      for (const { id } of this.#cluster.ring.members) {
        if (id !== stopped || id === node) continue
        const belief = memberWatch.belief(id)
        if (belief !== "down") this.#note(`${id} has stopped, and ${node} believes it ${belief}`)
      }
    }
  }

  #cores(): ReadonlyArray<NodeCore> {
    return [...this.#cluster.nodes.values()].flatMap(({ core }) => core === undefined ? [] : [core])
  }

  #look(): void {
    const isSettled = this.#cluster.kernel.now >= this.#settledAt
    const cores = this.#cores()
    for (const core of cores) {
      this.#compare(core)
      if (!isSettled) continue
      for (const { options: { node } } of cores) {
        if (core.memberWatch.belief(node) !== "down") continue
        this.#note(`${core.options.node} believes ${node} down, which runs and is in reach`)
      }
    }
  }

  #compare(core: NodeCore): void {
    const before = this.#known.get(core) ?? new Map<string, Version.Version>()
    this.#known.set(core, before)
    for (const { node, version } of core.memberWatch.facts()) {
      const last = before.get(node)
      before.set(node, version)
      if (last === undefined || !Version.isLess(version, last)) continue
      this.#note(`${core.options.node} knows less of ${node} than before`)
    }
  }

  #note(problem: string): void {
    if (this.problems.length < problemsMax && !this.problems.includes(problem)) {
      this.problems.push(problem)
    }
  }
}

const isSame = (left: MemberFacts | undefined, right: MemberFacts | undefined): boolean =>
  left !== undefined && right !== undefined && Version.compare(left.version, right.version) === 0
