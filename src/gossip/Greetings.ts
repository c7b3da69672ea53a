/**
 * Greets the other members now and then, by an empty frame: so nodes that have nothing to say to
 * each other still learn that the other is up, its incarnation, its key and its clock.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"

export interface GreetingsOptions {
  readonly runtime: Pick<Runtime, "after">
  readonly limits: Pick<NodeLimits, "greetMillis">
  readonly self: NodeId
  readonly members: () => ReadonlyArray<{ readonly id: NodeId }>
  /** Greets a node to which nothing was sent since the last call. */
  readonly greet: (to: NodeId) => void
}

/** Greets until the function that is returned is called. */
export const greetMembers = (options: GreetingsOptions): Cancel => {
  const { greet, limits, members, self, runtime } = options
  const schedule = (): Cancel =>
    runtime.after(limits.greetMillis, () => {
      for (const { id } of members()) if (id !== self) greet(id)
      cancel = schedule()
    })
  let cancel = schedule()
  return () => cancel()
}
