/**
 * Runs a plan: chaos, healing, convergence, last reads, and a quiet time in which nothing may
 * happen any more. Wholly synchronous; the same plan gives the same run, to the last bit.
 */
import { invariant } from "../../core/Invariant.ts"
import { digest64 } from "../../core/Hash.ts"
import { tripwired } from "../Tripwires.ts"
import { BeliefWatch } from "./BeliefWatch.ts"
import { Converge } from "./Converge.ts"
import { faultClass } from "./Faults.ts"
import type { FaultClass } from "./FaultClass.ts"
import type { Event, FinalDocument, Record, Unread } from "./History.ts"
import { handOver } from "./HandOver.ts"
import { marksOf } from "./Marks.ts"
import type { Plan, PlannedFault } from "./Plan.ts"
import { SimCluster, type SimClusterOptions } from "./SimCluster.ts"
import { stream } from "./SeededRandom.ts"
import { SimSession } from "./SimSession.ts"
import { isFillable } from "./Fillable.ts"
import { compared, compares, equalWithinMillis, restMillis, scrubs, unrepaired } from "./Unread.ts"

export interface RunOptions extends Omit<SimClusterOptions, "plan"> {
  /** Classes of faults by name, besides the simulator's own. */
  readonly faults?: ReadonlyArray<FaultClass>
}

/** How often, by name. */
interface Counts {
  readonly [name: string]: number
}

/** The counts of a run, which show that it put the cluster to the test. */
export interface Summary {
  /** How often each class of faults did something; those that met nothing are not there. */
  readonly faults: Counts
  /** Operations by kind of outcome. */
  readonly outcomes: Counts
  readonly marks: Counts
  readonly messages: Counts
  /** The work of disks of each kind. */
  readonly disks: Counts
  readonly virtualMillis: number
  readonly steps: number
}

export interface Run {
  readonly record: Record
  readonly summary: Summary
  /** Over the schedule, the messages, all storage and the clients' history. */
  readonly hash: string
  /** Lines about one document; empty unless one was asked for. */
  readonly story: ReadonlyArray<string>
}

/** The longest that messages are on their way, and a little more. */
const lateMillis = 70_000
const startMillis = 10_000
const restartMillis = 500
const workloadMillis = 300_000
const quietMillis = 5_000
/**
 * Longer than it takes until all nodes have greeted all others once more, and noted how far they
 * are: two of the longest pauses between greetings, and some.
 */
const lastWordMillis = 25_000

class Simulation {
  readonly #plan: Plan
  readonly #options: RunOptions
  readonly #cluster: SimCluster
  readonly #beliefs: BeliefWatch
  readonly #events: Array<Event> = []
  readonly #unavailable: Array<string> = []
  /** Documents that are still kept for other nodes. */
  #owed: ReadonlyArray<string> = []
  /** Ends of the faults that go on. */
  readonly #going = new Set<() => void>()

  constructor(plan: Plan, options: RunOptions) {
    this.#plan = plan
    this.#options = options
    this.#cluster = new SimCluster({ plan, ...options })
    this.#beliefs = new BeliefWatch(this.#cluster)
  }

  run(): Run {
    const cluster = this.#cluster
    const { kernel } = cluster
    cluster.start()
    this.#beliefs.start()
    kernel.run(kernel.now + startMillis, () => cluster.isUp)
    const sessions = this.#startClients()
    for (const fault of this.#plan.faults) this.#schedule(fault)
    kernel.run(kernel.now + this.#plan.chaosMillis)
    this.#heal()
    cluster.healedAt = kernel.now
    this.#beliefs.healed()
    const isOver = () => sessions.every((session) => session.isOver)
    kernel.run(kernel.now + workloadMillis, isOver)
    invariant(isOver(), "every client has been answered")
    // Messages that were sent in the chaos and are still on their way arrive.
    const unread = this.#rest()
    const lastReads = sessions.map((session) => session.readLast())
    const areOver = () => lastReads.every((reads) => reads.isOver)
    kernel.run(kernel.now + workloadMillis, areOver)
    invariant(areOver(), "every last read has been answered")
    this.#owed = handOver(cluster, this.#plan.operations)
    const final = new Converge(cluster, this.#plan).run()
    this.#checkComplete()
    kernel.run(kernel.now + lastWordMillis)
    const before = this.#commits()
    kernel.run(kernel.now + quietMillis)
    const idleWrites = this.#commits() - before
    this.#beliefs.checkRest()
    this.#stopOne()
    return this.#report({ final, unread, idleWrites })
  }

  /** The time in which nobody reads: see `Unread`. */
  #rest(): Unread {
    const cluster = this.#cluster
    const { kernel } = cluster
    if (!compares(this.#plan)) {
      kernel.run(kernel.now + lateMillis)
      return { documents: [], isScrubbed: true, idleWrites: 0, idleRepairs: 0, idleDifferences: 0 }
    }
    kernel.run(kernel.now + equalWithinMillis)
    const documents = unrepaired(cluster, this.#plan)
    const before = { commits: this.#commits(), ...compared(cluster) }
    kernel.run(kernel.now + restMillis)
    const idleWrites = this.#commits() - before.commits
    const isScrubbed = scrubs(this.#plan)
    const { differences, repairs } = compared(cluster)
    const idleRepairs = repairs - before.repairs
    const idleDifferences = differences - before.differences
    return { documents, isScrubbed, idleWrites, idleRepairs, idleDifferences }
  }

  end(): void {
    this.#cluster.end()
  }

  #startClients(): ReadonlyArray<SimSession> {
    const plan = this.#plan
    const cluster = this.#cluster
    const numbers = [...new Set(plan.operations.map(({ session }) => session))]
    const sessions = numbers.map((number) =>
      new SimSession({
        cluster,
        plan,
        number,
        operations: plan.operations.filter(({ session }) => session === number),
        startAt: cluster.kernel.now,
        ended: (event) => this.#events.push(event),
        unavailable: (what) => this.#unavailable.push(what)
      })
    )
    for (const session of sessions) session.proceed()
    return sessions
  }

  #schedule(fault: PlannedFault): void {
    const cluster = this.#cluster
    const { kernel, outside } = cluster
    const name = fault.fault
    const { faults = [] } = this.#options
    const known = faults.find((added) => added.name === name) ?? faultClass(name)
    if (known === undefined) throw new Error(`there is no class of faults named ${name}`)
    const end = () => {
      if (!this.#going.delete(end)) return
      cluster.story?.fault("ends", fault)
      cluster.noteClocks()
      known.end(cluster, fault)
      cluster.noteClocks()
    }
    kernel.at(outside, kernel.now + fault.atMillis, () => {
      this.#going.add(end)
      cluster.story?.fault("begins", fault)
      known.begin(cluster, fault)
      cluster.noteClocks()
      kernel.at(outside, kernel.now + fault.forMillis, end)
    })
  }

  /** Ends every fault, and has all nodes up. */
  #heal(): void {
    const cluster = this.#cluster
    const { kernel } = cluster
    for (const end of this.#going) end()
    const limit = kernel.now + startMillis
    while (kernel.now < limit) {
      cluster.heal()
      kernel.run(kernel.now + restartMillis)
      if (cluster.isUp) return
    }
  }

  /** Healed and at rest, a node is complete unless its disk lost something that nobody can send. */
  #checkComplete(): void {
    for (const { core, id } of this.#cluster.nodes.values()) {
      const { completeness, own } = core?.formation.status() ?? { completeness: "down", own: "" }
      if (completeness === "complete") continue
      const hasLost = this.#cluster.damaged.has(id)
      if (hasLost && !(compares(this.#plan) && isFillable(this.#cluster, id))) continue
      const why = hasLost ? "complete owners could have filled it" : "its disk lost nothing"
      this.#unavailable.push(`${id} is ${completeness}, ${own}, though ${why}`)
    }
  }

  /** One node stops for good, and the others are to notice it. */
  #stopOne(): void {
    const { kernel, nodes, nodeLimits } = this.#cluster
    const { ackMillis, healthMax, pingMillis, suspicionMaxMillis } = nodeLimits
    // Until it is pinged, until that fails, and until another node's suspicion has come.
    const noticedMillis = 3 * pingMillis * (1 + healthMax) + ackMillis
    const stopped = stream(this.#plan.seed, "stopped").pick([...nodes.values()])
    stopped.retire()
    kernel.run(kernel.now + noticedMillis + suspicionMaxMillis)
    this.#beliefs.checkStopped(stopped.id)
  }

  #commits(): number {
    let commits = 0
    for (const { disk } of this.#cluster.nodes.values()) commits += disk.counts.commits
    return commits
  }

  #disks(): Counts {
    const sums: { [name: string]: number } = {}
    for (const { disk } of this.#cluster.nodes.values()) {
      for (const [count, value] of Object.entries(disk.counts)) {
        const name = `${disk.kind}: ${count}`
        sums[name] = (sums[name] ?? 0) + value
      }
    }
    return sums
  }

  #report(found: {
    readonly final: ReadonlyArray<FinalDocument>
    readonly unread: Unread
    readonly idleWrites: number
  }): Run {
    const cluster = this.#cluster
    const { kernel, ledger, network } = cluster
    const record: Record = {
      events: this.#events,
      ...found,
      guarded: new Set(this.#plan.guarded),
      applied: ledger.applied,
      made: ledger.made,
      makers: ledger.makers,
      copies: ledger.copies,
      reused: ledger.reused,
      lapses: ledger.lapses,
      damaged: cluster.damaged,
      losses: cluster.losses,
      twinned: cluster.twinned,
      incarnations: cluster.incarnations,
      unavailable: this.#unavailable,
      beliefs: this.#beliefs.problems,
      owed: [...new Set([...this.#owed, ...cluster.handoff.problems])],
      unfilled: cluster.filling.problems
    }
    const outcomes = new Map<string, number>()
    for (const { outcome, operation: { bucket } } of this.#events) {
      const name = `${bucket} ${outcome}`
      outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
    }
    const summary: Summary = {
      faults: Object.fromEntries(cluster.injected),
      outcomes: Object.fromEntries(outcomes),
      marks: Object.fromEntries([...cluster.marks, ...marksOf(record).map((name) => [name, 1])]),
      messages: { ...network.counts },
      disks: this.#disks(),
      virtualMillis: Math.round(kernel.now),
      steps: kernel.steps
    }
    const story = cluster.story?.lines ?? []
    return { record, summary, hash: this.#hash(record, summary), story }
  }

  #hash(record: Record, summary: Summary): string {
    const cluster = this.#cluster
    const nodes = [...cluster.nodes.values()].map(({ core, disk }) => [
      disk.describe(),
      disk.counts,
      core?.replica.stats(),
      core?.coordinator.counters()
    ])
    const whole = [cluster.kernel.trace, nodes, plain(record), plain(summary)]
    return digest64(JSON.stringify(whole))
  }
}

/** Maps and sets as lists, so that they can be printed and hashed. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Map) return [...value].map(plain)
  if (value instanceof Set) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

export const run = (plan: Plan, options: RunOptions = {}): Run =>
  tripwired(() => {
    const simulation = new Simulation(plan, options)
    try {
      return simulation.run()
    } finally {
      simulation.end()
    }
  })
