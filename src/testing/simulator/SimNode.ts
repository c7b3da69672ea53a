/**
 * Runs the incarnations of one node: starts, crashes, stops, pauses, starts again on the data that
 * its disk kept. The node's code is the real one; only its runtime, network and disk are simulated.
 */
import type { NodeId } from "../../core/model/Names.ts"
import type { Incarnation } from "../../core/model/Incarnation.ts"
import { beginIncarnation, NodeCore, type NodeOptions } from "../../node/NodeCore.ts"
import type { Batch, RowKey, StoredDocument } from "../../storage/Storage.ts"
import { DiskWatch } from "./DiskWatch.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import { type SeededRandom, stream } from "./SeededRandom.ts"
import { type OpenDisk, SimDisk, type SimDiskOptions } from "./SimDisk.ts"
import type { SimNetwork } from "./SimNetwork.ts"
import * as SimRuntime from "./SimRuntime.ts"

/** The maker of a node; tests put a broken one in. */
export type Build = (options: NodeOptions, incarnation: Incarnation) => NodeCore

export const build: Build = (options, incarnation) => new NodeCore(options, incarnation)

export type MakeDisk = (options: SimDiskOptions) => SimDisk

const modelDisk: MakeDisk = (options) => new SimDisk(options)

export interface SimNodeOptions extends Omit<NodeOptions, "runtime" | "transport" | "storage"> {
  readonly kernel: Kernel
  readonly network: SimNetwork
  readonly seed: number
  /** The supervisor, which restarts a process that could not start. */
  readonly supervisor: Owner
  readonly build: Build
  /** Makes the node's disk: a model, unless a test brings a real database. */
  readonly disk?: MakeDisk | undefined
  readonly mark: (path: string) => void
  /** Told of every incarnation that begins, to check that none comes twice. */
  readonly began: (node: NodeId, incarnation: string) => void
  /** Told of every batch that is to be stored. */
  readonly asked: (batch: Batch) => void
  /** Told of every header that this node's disk says to have. */
  readonly stored: (key: RowKey, header: Uint8Array) => void
  /** Told of every document that reaches the disk of a process under this id, by its name. */
  readonly wrote: (name: string, key: RowKey, document: StoredDocument | undefined) => void
  /** Told the name of a fault each time that it takes effect here. */
  readonly did: (fault: string) => void
}

interface Running {
  readonly owner: Owner
  readonly disk: OpenDisk
  readonly watch: DiskWatch
  core: NodeCore | undefined
  /** Asked to end, and doing so. */
  stopping: boolean
  /** The faults that pause it. */
  readonly pauses: Set<number>
  /** When the first of these began. */
  pausedAt: number
}

export class SimNode {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly clock = SimRuntime.rightClock()
  readonly #options: SimNodeOptions
  readonly #random: SeededRandom
  /** Tells this process, and its disk, from others of the same id: of the first it is the id. */
  readonly name: string
  #starts = 0
  #twins = 0
  #disturbances = 0
  #incarnation: Running | undefined
  #startsAgain = false
  #isRetired = false
  #twin: SimNode | undefined

  constructor(options: SimNodeOptions, name: string = options.node) {
    const { did, disk = modelDisk, kernel, limits, seed, wrote } = options
    this.#options = options
    this.name = name
    this.id = options.node
    this.#random = stream(seed, `node ${name}`)
    const { id: storeId } = stream(seed, `store ${name}`)
    const random = stream(seed, `disk ${name}`)
    const noted = (key: RowKey, document: StoredDocument | undefined) => wrote(name, key, document)
    this.disk = disk({ kernel, random, storeId, limits, wrote: noted, did })
  }

  /** The node's code while it serves; undefined while it is down or still starting. */
  get core(): NodeCore | undefined {
    return this.#incarnation?.core
  }

  get isUp(): boolean {
    const incarnation = this.#incarnation
    return incarnation?.core !== undefined && !incarnation.owner.paused && !incarnation.stopping
  }

  /** Whether no cluster has formed with its store yet; it is not known of a node that is down. */
  get isNew(): boolean {
    return (this.core?.formation.status().own ?? "new") === "new"
  }

  /**
   * A number that stays the same while nothing happens to this node, as long as it serves alone
   * under its id and its disk works, whatever its clock says; undefined while something is wrong
   * with it.
   */
  get calm(): number | undefined {
    const { errorShare, fullShare, meanCommitMillis } = this.disk.mood
    const isFit = !this.disk.isHarmed && fullShare === 0 && errorShare === 0
      && meanCommitMillis <= calmCommitMillis && this.#busyMillis() <= calmBusyMillis
      && this.#incarnation?.watch.isDue === true
      && this.#twin === undefined
    return this.isUp && isFit ? this.#disturbances + this.disk.disturbances : undefined
  }

  /** How far its wall clock is off, in either direction. */
  get clockErrorMillis(): number {
    const { kernel } = this.#options
    return Math.abs(SimRuntime.wallOf(this.clock, kernel) - SimRuntime.epochMillis - kernel.now)
  }

  /** For how long the commit that is under way keeps others waiting. */
  #busyMillis(): number {
    return this.disk.busyUntil - this.#options.kernel.now
  }

  /** One of the processes under this id, which is the one that a client's requests reach. */
  process(random: SeededRandom): SimNode {
    return this.#twin !== undefined && random.chance(0.5) ? this.#twin : this
  }

  /**
   * A request reaches the process, which gets to it in its turn. False if no process receives it.
   */
  ask(task: (core: NodeCore) => void): boolean {
    const core = this.core
    if (this.#incarnation === undefined || core === undefined) return false
    this.#options.kernel.soon(this.#incarnation.owner, () => task(core))
    return true
  }

  /** Starts the process, also one that is ending; it serves once its incarnation is on disk. */
  start(): void {
    if (this.#isRetired) return
    if (this.#incarnation?.owner.fuse !== undefined) this.crash()
    if (this.#incarnation !== undefined) {
      this.#startsAgain = this.#incarnation.stopping
      return
    }
    const { kernel, network } = this.#options
    const owner: Owner = { name: `${this.name} ${++this.#starts}`, alive: true, paused: false }
    const disk = this.disk.open(owner)
    const watch = new DiskWatch({
      now: () => kernel.now,
      asked: this.#options.asked,
      stored: this.#options.stored,
      overloaded: () => void this.disk.disturbances++
    })
    const storage = watch.over(disk.service)
    const incarnation: Running = {
      owner,
      disk,
      watch,
      core: undefined,
      stopping: false,
      pauses: new Set(),
      pausedAt: 0
    }
    this.#incarnation = incarnation
    const runtime = SimRuntime.make({
      kernel,
      owner,
      clock: this.clock,
      random: this.#random,
      mark: this.#options.mark
    })
    beginIncarnation({ storage, runtime }, (begun) => {
      if (typeof begun !== "string") return this.#abandon(incarnation)
      this.#options.began(this.id, begun)
      const transport = network.connect(this.id, owner)
      incarnation.core = this.#options.build(
        {
          ...this.#options,
          runtime,
          transport,
          storage,
          // The process ends by itself, after the task in which it learnt of the other one.
          onSuperseded: () => {
            incarnation.stopping = true
            kernel.soon(this.#options.supervisor, () => this.#abandon(incarnation))
          }
        },
        begun
      )
    })
  }

  /** The process dies, and no supervisor starts it again. */
  retire(): void {
    this.#isRetired = true
    this.crash()
  }

  /** The process dies at once: its handles are dead before anything else can run. */
  crash(): boolean {
    const incarnation = this.#incarnation
    if (incarnation === undefined) return false
    this.#disturbances++
    incarnation.owner.alive = false
    incarnation.disk.crash()
    this.#incarnation = undefined
    return true
  }

  /** The process dies amid its work: after so many more of its tasks. */
  crashAfter(tasks: number, crashed: () => void): void {
    const incarnation = this.#incarnation
    if (incarnation === undefined) return
    const task = () => {
      if (this.crash()) crashed()
    }
    incarnation.owner.fuse = { left: tasks, task }
  }

  /** The process ends as asked: it takes no more requests, and waiting writes are committed. */
  stop(): boolean {
    const incarnation = this.#incarnation
    if (incarnation === undefined || incarnation.owner.paused || incarnation.stopping) return false
    this.#disturbances++
    this.#startsAgain = false
    incarnation.stopping = true
    incarnation.core?.drain()
    const { kernel } = this.#options
    kernel.at(incarnation.owner, kernel.now + stopMillis, () => {
      incarnation.core?.close()
      kernel.at(incarnation.owner, kernel.now + stopMillis, () => {
        incarnation.owner.alive = false
        incarnation.disk.stop()
        this.#incarnation = undefined
        if (this.#startsAgain) this.start()
      })
    })
    return true
  }

  /** Starts a second process under this id beside the first, on a copy of its disk. */
  startTwin(): boolean {
    if (this.#twin !== undefined) return false
    this.#disturbances++
    this.#twin = new SimNode(this.#options, `${this.name} twin ${++this.#twins}`)
    this.#twin.disk.copyFrom(this.disk)
    this.#twin.start()
    return true
  }

  /** The second process dies, and its disk is lost. */
  endTwin(): void {
    this.#disturbances++
    this.#twin?.retire()
    this.#twin = undefined
  }

  /** It is paused until every fault that paused it has ended, or it dies. */
  pause(fault: number): boolean {
    const incarnation = this.#incarnation
    if (incarnation === undefined) return false
    this.#disturbances++
    if (!incarnation.owner.paused) incarnation.pausedAt = this.#options.kernel.now
    incarnation.pauses.add(fault)
    incarnation.owner.paused = true
    return true
  }

  resume(fault: number): void {
    const incarnation = this.#incarnation
    if (incarnation === undefined) return
    const { owner, pausedAt, pauses } = incarnation
    if (!pauses.delete(fault) || pauses.size > 0) return
    owner.paused = false
    owner.pausedMillis = (owner.pausedMillis ?? 0) + this.#options.kernel.now - pausedAt
  }

  /** The process ended by itself, as it must; its supervisor starts it again. */
  #abandon(incarnation: Running): void {
    if (!incarnation.owner.alive) return
    incarnation.owner.alive = false
    incarnation.disk.crash()
    if (this.#incarnation === incarnation) this.#incarnation = undefined
    this.#disturbances++
    const { kernel, supervisor } = this.#options
    kernel.at(supervisor, kernel.now + restartMillis, () => this.start())
  }
}

/** A disk that takes longer on average may make requests time out. */
const calmCommitMillis = 5
/** A commit that was begun while the disk was slow goes on when it no longer is. */
const calmBusyMillis = 100
/** Longer than any request's deadline here, so that requests under way end by themselves. */
const stopMillis = 1_500
const restartMillis = 500
