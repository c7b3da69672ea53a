/**
 * Sees to it that one process alone serves under a node id: a start is refused while another one
 * answers, and of two that meet later one ends.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { probe, type Process } from "../gossip/Processes.ts"
import { type NodeOptions, processOptions } from "./NodeCore.ts"

/** Another process runs under the id of this node, which therefore does not serve. */
export class AnotherProcess extends Schema.TaggedError<AnotherProcess>()("AnotherProcess", {
  node: Schema.String,
  /** The first incarnation of the other process. */
  startedAs: Schema.String,
  storeId: Schema.String,
  /** Whether this process had not begun to serve. */
  atStart: Schema.Boolean
}) {
  override get message(): string {
    const { atStart, node, startedAs, storeId } = this
    const other = `incarnation ${startedAs}, store ${storeId}`
    return atStart
      ? `node ${node} runs already (${other}): stop it, or start this one under another id`
      : `another process runs as node ${node} (${other}): it goes on, this one has stopped`
  }
}

const problem = (
  { node }: Pick<NodeOptions, "node">,
  { startedAs, storeId }: Process,
  atStart: boolean
): AnotherProcess => new AnotherProcess({ node, startedAs, storeId, atStart })

/** Asks whether another process serves under this id, before this one does. */
export const refuseSecond = (
  options: NodeOptions,
  incarnation: string
): Effect.Effect<void, AnotherProcess> =>
  Effect.callback((resume) =>
    probe(
      processOptions(options, incarnation),
      (other) =>
        resume(other === undefined ? Effect.void : Effect.fail(problem(options, other, true)))
    )
  )

export interface Superseded {
  /** Fails once another process goes on in place of this one. */
  readonly ended: Effect.Effect<never, AnotherProcess>
  /** For the node's options. */
  readonly onSuperseded: (other: Process) => void
}

export const watchSuperseded = Effect.fnUntraced(function*(
  options: Pick<NodeOptions, "node">
): Effect.fn.Return<Superseded> {
  const run = Effect.runForkWith(yield* Effect.context())
  const told = yield* Deferred.make<never, AnotherProcess>()
  const onSuperseded = (other: Process) => {
    const error = problem(options, other, false)
    run(Effect.logError(error.message))
    Deferred.doneUnsafe(told, Effect.fail(error))
  }
  return { ended: Deferred.await(told), onSuperseded }
})
