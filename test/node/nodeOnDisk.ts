/** Runs a whole node on a store that a test holds in its hands: to end its thread, or to fail. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import { fitted } from "../../src/core/model/BucketDefinition.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { EverwriteNode, type LiveNode } from "../../src/node/Node.ts"
import { layerStorage, NodeStorage } from "../../src/node/NodeLayers.ts"
import { fromObject } from "../../src/node/Setting.ts"
import { resolve } from "../../src/node/Settings.ts"
import type { StorageService } from "../../src/storage/Storage.ts"
import type { WorkerStorage } from "../../src/storage/WorkerStorage.ts"

export interface OnDisk {
  readonly live: LiveNode
  readonly storage: WorkerStorage
}

/** The task runs while the node does; `around` stands between the node and its store. */
export const nodeOnDisk = (
  options: {
    readonly settings: Readonly<Record<string, unknown>>
    readonly buckets: ReadonlyArray<Any>
    readonly around?: (service: StorageService) => StorageService
  },
  task: (given: OnDisk) => Promise<void>
): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(Effect.gen(function*() {
      const { buckets, around = (service) => service } = options
      const settings = yield* resolve([fromObject(options.settings, "the test")])
      const storage = Context.get(yield* Layer.build(layerStorage(settings)), NodeStorage)
      const service = around(storage.service)
      const given = Layer.succeed(NodeStorage, {
        service,
        close: storage.close,
        crash: storage.crash,
        onThread: storage.onThread,
        get thread() {
          return storage.thread
        }
      })
      const served = buckets.map((bucket) => ({
        ...bucket,
        definition: fitted(bucket.definition, settings.members.length)
      }))
      const live = Context.get(
        yield* Layer.build(EverwriteNode.layerOf(settings, served, given)),
        EverwriteNode
      )
      yield* Effect.promise(() => task({ live, storage }))
    })).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )

/** The answer of /readyz. */
export const readyz = async ({ address }: LiveNode) => {
  const answer = await fetch(`${address}/readyz`)
  return { status: answer.status, text: await answer.text() }
}
