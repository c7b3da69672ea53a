/**
 * Fetches everything that another node keeps in place of owners that were away, of the partitions
 * of which this node is an owner: a store that is filled needs it, and no owner may have it.
 */
import type { Conversation } from "./Conversation.ts"
import { otherOwners } from "./ExchangeContext.ts"
import { fetchAll } from "./Fetch.ts"

/** Calls back once all of it is on disk. */
export const askKept = (conversation: Conversation, done: () => void): void => {
  const { context } = conversation
  const askOf = (left: ReadonlyArray<number>): void => {
    if (left.length === 0) return done()
    const partitions = left.slice(0, context.limits.partitionsInMessageMax)
    conversation.askKept(partitions, ({ differing, unread }) => {
      if (unread.length > 0) {
        return conversation.end("the other node has not read all its rows yet")
      }
      const kept = differing.map(({ partition }) => partition)
        .filter((partition) => partitions.includes(partition))
      pullEach(kept, () => askOf(left.slice(partitions.length)))
    })
  }
  const pullEach = ([partition, ...others]: ReadonlyArray<number>, next: () => void): void => {
    if (partition === undefined) return next()
    context.runtime.mark("anti-entropy: a node is filled with what a stand-in keeps")
    fetchAll(conversation, partition, ({ refused }) => {
      if (refused === 0) pullEach(others, next)
      else conversation.end("the own replica refuses a document that the other node keeps")
    })
  }
  askOf([...otherOwners(context).keys()])
}
