/**
 * Greets other members now and then, by an empty frame: so nodes that have nothing to say to each
 * other still learn that the other is up, its incarnation, its key and its clock. In a large
 * cluster a few are greeted at a time, in turn, so that a node sends no more than in a small one.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { Cancel, Runtime } from "../core/Runtime.ts"

export interface GreetingsOptions {
  readonly runtime: Pick<Runtime, "after">
  readonly limits: Pick<NodeLimits, "greetMillis" | "greetingsMax">
  readonly self: NodeId
  readonly members: () => ReadonlyArray<{ readonly id: NodeId }>
  /** Greets a node, unless something was sent to it since the last call; says whether it did. */
  readonly greet: (to: NodeId) => boolean
}

/** Greets until the function that is returned is called. */
export const greetMembers = (options: GreetingsOptions): Cancel => {
  const { greet, limits, members, self, runtime } = options
  let turn = 0
  const greetSome = () => {
    const others = members().filter(({ id }) => id !== self)
    let greeted = 0
    for (let asked = 0; asked < others.length && greeted < limits.greetingsMax; asked++) {
      if (greet(others[turn++ % others.length]!.id)) greeted++
    }
  }
  const schedule = (): Cancel =>
    runtime.after(limits.greetMillis, () => {
      greetSome()
      cancel = schedule()
    })
  let cancel = schedule()
  return () => cancel()
}
