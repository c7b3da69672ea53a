/**
 * Fetches everything that another node keeps in place of owners that were away, of the partitions
 * of which this node is an owner: a store that is filled needs it, and no owner may have it.
 */
import type { Conversation } from "./Conversation.ts"
import { type ExchangeContext, otherOwners } from "./ExchangeContext.ts"
import { fetchAll, type FetchOptions } from "./Fetch.ts"

export interface AskKeptOptions {
  readonly context: ExchangeContext
  readonly conversation: Conversation
  readonly fetch: FetchOptions
}

/** Calls back once all of it is on disk. */
export const askKept = (options: AskKeptOptions, done: () => void): void => {
  const { context, conversation, fetch } = options
  const { hashKeyId, limits: { partitionsInMessageMax }, runtime, view } = context
  const askOf = (left: ReadonlyArray<number>): void => {
    if (left.length === 0) return done()
    const partitions = left.slice(0, partitionsInMessageMax)
    const ring = view.ring.digest
    conversation.ask({ kind: "Keeping", ring, hashKey: hashKeyId, partitions }, (answer) => {
      if (answer.kind !== "Compared") return conversation.end("an answer of another kind")
      if (answer.outcome !== "compared") return conversation.end(`not compared: ${answer.outcome}`)
      if (answer.unread.length > 0) {
        return conversation.end("the other node has not read all its rows yet")
      }
      const kept = answer.differing.map(({ partition }) => partition)
        .filter((partition) => partitions.includes(partition))
      pullEach(kept, () => askOf(left.slice(partitions.length)))
    })
  }
  const pullEach = ([partition, ...others]: ReadonlyArray<number>, next: () => void): void => {
    if (partition === undefined) return next()
    runtime.mark("anti-entropy: a node is filled with what a stand-in keeps")
    fetchAll(fetch, partition, ({ refused }) => {
      if (refused === 0) pullEach(others, next)
      else conversation.end("the own replica refuses a document that the other node keeps")
    })
  }
  askOf([...otherOwners(context).keys()])
}
