/**
 * Compares the sums of the partitions that this node and another both hold, many in one message,
 * and finds the versions of a partition that differ: both kinds of exchange begin so.
 */
import type { PartitionSum } from "../../schemas/AntiEntropyMessage.ts"
import { Comparison, type Found } from "./Comparison.ts"
import type { Conversation } from "./Conversation.ts"
import { sharedPartitions, sharedWith } from "./ExchangeContext.ts"

/** The sum of the versions of a partition that both are to hold, as far as this node has them. */
export const sharedSum = (conversation: Conversation, partition: number): PartitionSum => {
  const { bucket, context, peer } = conversation
  const includes = sharedWith(context, { peer, partition, bucket })
  return { partition, sum: context.replica.versions.sum(partition, includes) }
}

/**
 * Compares all of them of which this node has read all rows. `isEqual` is told of each that does
 * not differ, `done` gets the other node's sums of those that do.
 */
export const compareShared = (
  conversation: Conversation,
  isEqual: (partition: number) => void,
  done: (differing: ReadonlyArray<PartitionSum>) => void
): void => {
  const { context: { limits, replica: { versions } }, peer } = conversation
  const compare = (left: ReadonlyArray<number>, before: ReadonlyArray<PartitionSum>): void => {
    if (left.length === 0) return done(before)
    const partitions = left.slice(0, limits.partitionsInMessageMax)
    const sums = partitions.map((partition) => sharedSum(conversation, partition))
    conversation.compare(sums, ({ differing, unread }) => {
      conversation.skip(unread.length)
      const others = new Set([...differing.map(({ partition }) => partition), ...unread])
      for (const partition of partitions) if (!others.has(partition)) isEqual(partition)
      const known = differing.filter(({ partition }) => partitions.includes(partition))
      compare(left.slice(partitions.length), [...before, ...known])
    })
  }
  const shared = sharedPartitions(conversation.context, peer)
  const whole = shared.filter((partition) => versions.isWhole(partition))
  conversation.skip(shared.length - whole.length)
  compare(whole, [])
}

/**
 * Finds the versions that only one of the nodes has, though others change meanwhile; undefined
 * where one of them has not read its rows, or too many differ.
 */
export const findDifference = (
  conversation: Conversation,
  theirs: PartitionSum,
  done: (found: Found | undefined) => void
): void => {
  const { bucket, context, peer } = conversation
  const { limits, replica: { versions }, runtime } = context
  const includes = sharedWith(context, { peer, partition: theirs.partition, bucket })
  const changed = () => runtime.mark("anti-entropy: versions change while they are compared")
  const asked = { versions, limits, includes, bucket, theirs, conversation, changed }
  new Comparison(asked, done).start()
}
