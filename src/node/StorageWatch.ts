/**
 * Follows the storage thread of a node. Where another thread takes the place of one that died, the
 * node goes on as another incarnation; where none does any more, the node ends.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { WorkerStorage } from "../storage/WorkerStorage.ts"
import type { NodeCore } from "./NodeCore.ts"

/** The storage thread ended too often, or cannot be started again: nothing is written any more. */
export class StorageEnded extends Schema.TaggedError<StorageEnded>()("StorageEnded", {
  node: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `node ${this.node} cannot write any more: ${this.reason}; it must be started again`
  }
}

/** Fails once nothing is written any more. */
export const watchStorage = Effect.fnUntraced(function*(
  storage: Pick<WorkerStorage, "onThread">,
  { options: { node }, replica }: Pick<NodeCore, "options" | "replica">
): Effect.fn.Return<Effect.Effect<never, StorageEnded>> {
  const run = Effect.runForkWith(yield* Effect.context())
  const told = yield* Deferred.make<never, StorageEnded>()
  storage.onThread({
    onRestart: (reason) => {
      replica.beginAgain()
      const incarnation = replica.incarnation()
      run(Effect.logWarning(
        `${reason}; another one was started, and node ${node} goes on as ${incarnation}`
      ))
    },
    onEnd: (reason) => {
      const error = new StorageEnded({ node, reason })
      run(Effect.logError(error.message))
      Deferred.doneUnsafe(told, Effect.fail(error))
    }
  })
  return Deferred.await(told)
})
