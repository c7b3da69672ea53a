/**
 * Lends tests one replica on a disk in memory, on a runtime whose turns the test ends: its process
 * can crash and start again, its commits can be made to fail, and its rows can be damaged.
 */
import { lan } from "../../src/core/model/Limits.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import * as DocumentCodec from "../../src/core/crdt/DocumentCodec.ts"
import type { CausalContext } from "../../src/core/clock/CausalContext.ts"
import type { Actor } from "../../src/core/clock/Dot.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import type { StrategyDefinition } from "../../src/core/model/BucketDefinition.ts"
import * as CanonicalJson from "../../src/core/model/CanonicalJson.ts"
import { type Incarnation, isIncarnation } from "../../src/core/model/Incarnation.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import type { OperationId } from "../../src/core/operations/OperationId.ts"
import type { Runtime } from "../../src/core/Runtime.ts"
import * as Strategies from "../../src/core/strategy/Strategies.ts"
import { beginIncarnation } from "../../src/node/NodeCore.ts"
import { Replica, type Update, type Updated } from "../../src/replica/Replica.ts"
import { type DirectStorage, MemoryDisk, openDirect } from "../../src/storage/DirectStorage.ts"
import type { VersionLimits } from "../../src/replica/VersionIndex.ts"
import type { RowKey, StorageFailure } from "../../src/storage/Storage.ts"
import type { StorageLimits } from "../../src/storage/StorageOptions.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

export const key: RowKey = { partition: 3, bucket: "things", partitionKey: "sk", sortKey: "" }

export interface BenchOptions {
  readonly node?: string
  readonly strategy?: StrategyDefinition
  readonly cacheBytesMax?: number
  readonly lastIssuedDotsMax?: number
  readonly limits?: Partial<StorageLimits>
  readonly shownWaitsMax?: number
  readonly onConflict?: (key: RowKey) => void
  /** Operations that are remembered. */
  readonly operationIdsMax?: number
  /** Bytes of a change that travels in place of its document, as a share of the document's. */
  readonly deltaPercentMax?: number
  readonly versions?: VersionLimits
}

export interface OperateOptions {
  readonly key?: RowKey
  readonly seen?: CausalContext
  readonly id?: OperationId
  readonly fromMemory?: boolean
}

/** The arguments of the calls of `settled`; empty while there are none. */
export type Settlements = ReadonlyArray<StorageFailure | undefined>

export class Bench {
  readonly runtime = new SteppedRuntime()
  readonly disk = new MemoryDisk()
  readonly incarnations: Array<Incarnation> = []
  readonly node: NodeId
  replica: Replica
  #storage: DirectStorage
  readonly #options: BenchOptions
  /** The turns that commits wait for, while they are held back. */
  #held: Array<() => void> | undefined

  constructor(options: BenchOptions = {}) {
    this.#options = options
    this.node = NodeId.make(options.node ?? "n1")
    this.#storage = this.#open()
    this.replica = this.#start()
  }

  get storage(): DirectStorage["service"] {
    return this.#storage.service
  }

  /** The process dies: what was not committed is gone. Another one starts. */
  crash(): void {
    this.#storage.abandon()
    this.#storage = this.#open()
    this.replica = this.#start()
  }

  /** Applies operations without ending the turn. */
  begin(
    calls: ReadonlyArray<readonly [name: string, ...args: ReadonlyArray<unknown>]>,
    options: OperateOptions = {}
  ): { readonly updated: Updated; readonly settlements: Settlements } {
    const settlements: Array<StorageFailure | undefined> = []
    const update = this.#update(calls, options)
    const updated = this.replica.update(update, (failure) => settlements.push(failure))
    return { updated, settlements }
  }

  /** An update that puts a value. */
  put(value: unknown): Update {
    return this.#update([["put", value]], {})
  }

  #update(
    calls: ReadonlyArray<readonly [name: string, ...args: ReadonlyArray<unknown>]>,
    options: OperateOptions
  ): Update {
    const { operations } = Strategies.make(this.#options.strategy ?? { family: "siblings" })
    return {
      key: options.key ?? key,
      calls: calls.map(([name, ...args]) => ({ operation: operations.get(name)!, args })),
      seen: options.seen,
      stampSeen: options.seen?.stamp ?? 0,
      id: options.id,
      fromMemory: options.fromMemory ?? false
    }
  }

  /** Applies one operation, and waits for the disk; fails the test unless it applied. */
  operate(
    name: string,
    args: ReadonlyArray<unknown>,
    options: OperateOptions = {}
  ): Extract<Updated, { readonly _tag: "Updated" }> {
    const { settlements, updated } = this.begin([[name, ...args]], options)
    this.runtime.runReady()
    if (updated._tag !== "Updated" || settlements.length !== 1 || settlements[0] !== undefined) {
      throw new Error(`${updated._tag}: ${JSON.stringify(settlements)}`)
    }
    return updated
  }

  /** Joins a document as another node sends it, and waits for the disk. */
  join(document: Document.Document, at = key): Settlements {
    const settlements: Array<StorageFailure | undefined> = []
    const encoded = DocumentCodec.encode(document)
    const arrival = { key: at, document: DocumentCodec.decode(encoded.bytes), encoded }
    const joined = this.replica.join(arrival, (failure) => settlements.push(failure))
    if (joined._tag === "Refused") throw new Error(joined.reason)
    this.runtime.runReady()
    return settlements
  }

  /** The document, or the empty one. */
  document(at = key): Document.Document {
    const holding = this.replica.read(at)
    return holding._tag === "Found" ? holding.document : Document.empty
  }

  /** The view, in JSON. */
  values(at = key): ReadonlyArray<unknown> {
    const strategy = Strategies.make(this.#options.strategy ?? { family: "siblings" })
    return strategy.view(this.document(at), this.runtime.now()).values.map(CanonicalJson.decode)
  }

  /** The context of a read. */
  seen(at = key): CausalContext {
    const strategy = Strategies.make(this.#options.strategy ?? { family: "siblings" })
    const document = this.document(at)
    return { vector: document.context, stamp: strategy.stampOf(document) }
  }

  actors(at = key): ReadonlyArray<Actor> {
    return VersionVector.sorted(this.document(at).context).map(([actor]) => actor)
  }

  /** Holds commits back until the returned function is called. */
  holdCommits(): () => void {
    const held: Array<() => void> = []
    this.#held = held
    return () => {
      this.#held = undefined
      for (const task of held) this.runtime.endOfTurn(task)
    }
  }

  /** Makes commits fail until the returned function is called. */
  failCommits(): () => void {
    const { database } = this.disk
    const raise = "BEGIN SELECT RAISE(ABORT, 'injected'); END"
    database.exec(`CREATE TRIGGER broken BEFORE INSERT ON documents ${raise}`)
    return () => database.exec("DROP TRIGGER broken")
  }

  /** Spoils bytes of the rows that `where` selects. */
  damage(where = "true"): void {
    this.disk.database.exec(`UPDATE documents SET bytes = x'00' WHERE ${where}`)
  }

  /** Every stored row: header and elements, of all documents. */
  rowCount(): number {
    return Number(this.disk.database.prepare("SELECT count(*) AS n FROM documents").get()!["n"])
  }

  #open(): DirectStorage {
    const identity = { node: this.node, cluster: "test", partitionCount: 16 }
    const { limits } = this.#options
    return openDirect({
      directory: this.disk,
      identity,
      runtime: this.#diskRuntime(),
      // The tables have all rows, which a test may damage.
      limits: { logBytesMax: 0, ...limits }
    })
  }

  /** The bench's runtime, but that turns in which commits are held back do not end. */
  #diskRuntime(): Runtime {
    const { after, elapsed, endOfTurn, id, idle, mark, now, random } = this.runtime
    return {
      after,
      elapsed,
      id,
      idle,
      mark,
      now,
      random,
      endOfTurn: (task) => {
        if (this.#held === undefined) endOfTurn(task)
        else this.#held.push(task)
      }
    }
  }

  #start(): Replica {
    const { runtime } = this
    const { cacheBytesMax = 0, lastIssuedDotsMax = lan.node.lastIssuedDotsMax } = this.#options
    beginIncarnation({ storage: this.storage, runtime }, (begun) => {
      if (isIncarnation(begun)) this.incarnations.push(begun)
    })
    runtime.runReady()
    return new Replica({
      runtime,
      storage: this.storage,
      node: this.node,
      incarnation: this.incarnations.at(-1)!,
      stampMillis: runtime.now,
      onConflict: this.#options.onConflict,
      limits: {
        ...lan.node,
        ...this.#options.versions,
        // Tests of a replica make documents of any size.
        siblingsMax: Infinity,
        elementsMax: Infinity,
        documentBytesMax: Infinity,
        cacheBytesMax,
        lastIssuedDotsMax,
        shownWaitsMax: this.#options.shownWaitsMax ?? lan.node.shownWaitsMax,
        operationIdsMax: this.#options.operationIdsMax ?? lan.node.operationIdsMax,
        deltaPercentMax: this.#options.deltaPercentMax ?? lan.node.deltaPercentMax
      }
    })
  }
}
