/**
 * Reads once more, in a mended cluster, every document of a session that never goes back. A session
 * may be told to try again, but not for ever: in the end it is shown a value, or told what is lost.
 */
import { rethrow } from "../../client/Task.ts"
import type { Requester } from "../../client/Requester.ts"
import type { StoreError } from "../../core/model/StoreError.ts"
import type { PlannedOperation } from "./Plan.ts"
import type { SimCluster } from "./SimCluster.ts"

/** How often a read is tried, and the pause between two tries. */
const triesMax = 5
const pauseMillis = 1_000
/** Above the numbers of planned operations. */
const firstId = 1_000_000

export interface LastReadsOptions {
  readonly cluster: SimCluster
  readonly requester: Requester
  readonly session: number
  /** The last operation of each document. */
  readonly documents: ReadonlyArray<PlannedOperation>
  /** Told before each read, whose answers go to it. */
  readonly begin: (read: PlannedOperation) => void
  readonly ended: (read: PlannedOperation) => void
  readonly refused: (read: PlannedOperation, error: StoreError) => void
}

export class LastReads {
  readonly #options: LastReadsOptions
  readonly #left: Array<PlannedOperation>

  constructor(options: LastReadsOptions) {
    this.#options = options
    this.#left = options.documents.map((operation, index) => ({
      ...operation,
      id: firstId + 1_000 * options.session + index,
      consistency: "balanced",
      action: { kind: "read" }
    }))
  }

  get isOver(): boolean {
    return this.#left.length === 0
  }

  start(): void {
    const [read] = this.#left
    if (read !== undefined) this.#try(read, 1)
  }

  #try(read: PlannedOperation, tries: number): void {
    const { begin, cluster, ended, refused, requester } = this.#options
    const { kernel, outside } = cluster
    begin(read)
    const bucket = cluster.bucket(read.bucket)
    const key = cluster.idOf(read)
    const end = (end: () => void) => {
      end()
      this.#left.shift()
      this.start()
    }
    const fail = (error: StoreError) => {
      if (tries === triesMax) return end(() => refused(read, error))
      kernel.at(outside, kernel.now + pauseMillis, () => this.#try(read, tries + 1))
    }
    const task = requester.read(bucket, key, { consistency: read.consistency })
    task(() => end(() => ended(read)), fail, rethrow)
  }
}
