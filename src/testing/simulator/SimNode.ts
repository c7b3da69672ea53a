/**
 * Lives the lives of one node: starts, crashes, stops, pauses, starts again on what its disk kept.
 * What runs is the node's real code; only its world, network and disk are simulated.
 */
import type { NodeId } from "../../core/model/Names.ts"
import type { Incarnation } from "../../core/model/Incarnation.ts"
import { beginIncarnation, NodeCore, type NodeOptions } from "../../node/NodeCore.ts"
import type { RowKey, StoredDocument } from "../../storage/Storage.ts"
import type { Kernel, Owner } from "./Kernel.ts"
import { type SeededRandom, stream } from "./SeededRandom.ts"
import { SimDisk } from "./SimDisk.ts"
import type { SimNetwork } from "./SimNetwork.ts"
import * as SimWorld from "./SimWorld.ts"

/** What makes a node of its parts; tests put broken parts in. */
export type Build = (options: NodeOptions, incarnation: Incarnation) => NodeCore

export const build: Build = (options, incarnation) => new NodeCore(options, incarnation)

export interface SimNodeOptions extends Omit<NodeOptions, "world" | "transport" | "storage"> {
  readonly kernel: Kernel
  readonly network: SimNetwork
  readonly seed: number
  /** What restarts a process that could not start. */
  readonly supervisor: Owner
  readonly build: Build
  readonly mark: (path: string) => void
  /** Told of every incarnation that begins, to check that none comes twice. */
  readonly began: (node: NodeId, incarnation: string) => void
  /** Told of every document that reaches this node's disk. */
  readonly wrote: (key: RowKey, document: StoredDocument) => void
}

interface Life {
  readonly owner: Owner
  readonly crashDisk: () => void
  core: NodeCore | undefined
}

export class SimNode {
  readonly id: NodeId
  readonly disk: SimDisk
  readonly clock: SimWorld.SimClock = { offsetMillis: 0, drift: 0 }
  readonly #options: SimNodeOptions
  readonly #random: SeededRandom
  #lives = 0
  #disturbances = 0
  #life: Life | undefined

  constructor(options: SimNodeOptions) {
    this.#options = options
    this.id = options.node
    this.#random = stream(options.seed, `node ${options.node}`)
    const random = stream(options.seed, `disk ${options.node}`)
    this.disk = new SimDisk({ kernel: options.kernel, random, wrote: options.wrote })
  }

  /** The node's code while it serves; undefined while it is down or still starting. */
  get core(): NodeCore | undefined {
    return this.#life?.core
  }

  get isUp(): boolean {
    return this.core !== undefined && this.#life?.owner.paused === false
  }

  get isPaused(): boolean {
    return this.#life?.owner.paused ?? false
  }

  /**
   * A number that stays the same while nothing happens to this node, as long as it serves and its
   * disk works; undefined while something is wrong with it.
   */
  get calm(): number | undefined {
    const { full, errorShare, meanCommitMillis } = this.disk.mood
    const isFit = !full && errorShare === 0 && meanCommitMillis <= calmCommitMillis
    return this.isUp && isFit ? this.#disturbances + this.disk.disturbances : undefined
  }

  /** A request reaches the process, which gets to it in its turn. False if nobody hears it. */
  ask(task: (core: NodeCore) => void): boolean {
    const core = this.core
    if (this.#life === undefined || core === undefined) return false
    this.#options.kernel.soon(this.#life.owner, () => task(core))
    return true
  }

  /** Starts the process; it serves once its incarnation is on disk. */
  start(): void {
    if (this.#life !== undefined) return
    const { kernel, network } = this.#options
    const owner: Owner = { name: `${this.id} ${++this.#lives}`, alive: true, paused: false }
    const { crash, service: storage } = this.disk.open(owner)
    const life: Life = { owner, crashDisk: crash, core: undefined }
    this.#life = life
    const world = SimWorld.make({
      kernel,
      owner,
      clock: this.clock,
      random: this.#random,
      mark: this.#options.mark
    })
    beginIncarnation({ storage, world }, (begun) => {
      if (typeof begun !== "string") return this.#abandon(life)
      this.#options.began(this.id, begun)
      const transport = network.connect(this.id, owner)
      life.core = this.#options.build({ ...this.#options, world, transport, storage }, begun)
    })
  }

  /** The process dies at once: its handles are dead before anything else can run. */
  crash(): void {
    const life = this.#life
    if (life === undefined) return
    this.#disturbances++
    life.owner.alive = false
    life.crashDisk()
    this.#life = undefined
  }

  /** The process ends as asked: it takes no more requests, and what waits is committed. */
  stop(): void {
    const life = this.#life
    if (life === undefined || life.owner.paused) return
    this.#disturbances++
    life.core?.drain()
    const { kernel } = this.#options
    kernel.at(life.owner, kernel.now + stopMillis, () => {
      life.core?.close()
      kernel.at(life.owner, kernel.now + stopMillis, () => {
        life.owner.alive = false
        life.crashDisk()
        if (this.#life === life) this.#life = undefined
      })
    })
  }

  pause(): void {
    this.#disturbances++
    if (this.#life !== undefined) this.#life.owner.paused = true
  }

  resume(): void {
    if (this.#life !== undefined) this.#life.owner.paused = false
  }

  /** The disk refused the incarnation: the process ends, and its supervisor tries again. */
  #abandon(life: Life): void {
    life.owner.alive = false
    if (this.#life === life) this.#life = undefined
    const { kernel, supervisor } = this.#options
    kernel.at(supervisor, kernel.now + restartMillis, () => this.start())
  }
}

/** A disk that takes longer on average may make requests time out. */
const calmCommitMillis = 5
/** Longer than any request's deadline here, so that what is under way ends by itself. */
const stopMillis = 1_500
const restartMillis = 500
