/**
 * Runs a node in a program with Promises.
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import type { HintReport } from "../../schemas/HintReport.ts"
import type { SyncReport } from "../../schemas/SyncReport.ts"
import { type BucketMap, type Db, makeDb, type NamedWell } from "../client/Promises.ts"
import type { BackendStatus, BackendSync } from "../client/Backend.ts"
import { questionsBy } from "../client/NodeQuestions.ts"
import { presets } from "../core/model/Limits.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Config } from "./ConfigFile.ts"
import { EverwriteNode } from "./Node.ts"

const answered = <A extends object>(
  question: (respond: (outcome: A | StoreError) => void) => void
): Promise<A> =>
  new Promise((resolve, reject) => {
    question((outcome) => outcome instanceof Error ? reject(outcome) : resolve(outcome))
  })

/** A node in this process. */
export interface RunningNode extends AsyncDisposable {
  readonly name: string
  /** Where it answers HTTP; undefined where that is off. */
  readonly http: string | undefined
  /** The broker that it is connected to. */
  readonly nats: string
  /** Handles to buckets of this node: a request is a function call. Closing them stops no node. */
  readonly db: <B extends BucketMap>(buckets: NamedWell<B>) => Db<B>
  /**
   * Compares this node's documents with those of all other nodes now, and repairs both; of all
   * buckets unless one is named. Answers when all is done, or after `timeoutMillis`.
   *
   * **Fails with** `UnknownBucket`.
   */
  readonly sync: (options?: BackendSync) => Promise<SyncReport>
  /** Tells what this node keeps for other nodes, until they can be reached. */
  readonly hints: () => Promise<HintReport>
  /** Asks each node for its state; one that does not answer in time is among them without it. */
  readonly status: (options?: BackendStatus) => Promise<ClusterStatus>
  /** Takes no more requests, lets those under way finish, and ends; a second call does nothing. */
  readonly stop: () => Promise<void>
}

/**
 * Starts a node with the buckets and settings of `config`; no flag, variable or file is looked at.
 *
 * **Fails with** `InvalidConfig`, `InvalidSetting`, or the error of the storage, the broker or the
 * port that it does not get.
 *
 * ```ts
 * await using node = await startNode({ buckets: [Visits], dataDir: "visits", nats: "embedded" })
 * await node.db({ visits: Visits }).visits.add("home", 1)
 * ```
 */
export const startNode = async (config: Config): Promise<RunningNode> => {
  const runtime = ManagedRuntime.make(EverwriteNode.layer(config))
  try {
    const { address, backend, natsAddress, settings } = await runtime.runPromise(
      Effect.service(EverwriteNode)
    )
    const { client: limits } = presets[settings.preset]
    const questions = questionsBy(backend)
    const stop = (): Promise<void> => runtime.dispose()
    return {
      name: settings.node,
      http: address,
      nats: natsAddress,
      db: (buckets) => makeDb(buckets, backend, () => Promise.resolve(), { limits }),
      sync: (asked = {}) => answered((respond) => questions.sync(asked, respond)),
      hints: () => answered(questions.hints),
      status: (asked = {}) => answered((respond) => questions.status(asked, respond)),
      stop,
      [Symbol.asyncDispose]: stop
    }
  } catch (error) {
    await runtime.dispose()
    throw error
  }
}
