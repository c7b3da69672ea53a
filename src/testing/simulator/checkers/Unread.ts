/**
 * Checks that replicas become equal by themselves where nodes compare them, and that this ends.
 */
import type { Checker, Unrepaired } from "../History.ts"
import { everywhere, finder } from "./Judging.ts"

const name = "anti-entropy"

/** Where every copy is damaged or gone there is nothing to repair them from. */
const hasAny = ({ held }: Unrepaired): boolean =>
  held.some(({ digest }) => digest !== "absent" && digest !== "damaged")

export const unread: Checker = {
  name,
  promise: "without a read, all replicas are equal a minute after the heal, and then rest",
  check: ({ damaged, unread: { documents, isScrubbed, ...idle } }) => [
    // A row that the disk has changed is found when it is next read.
    ...documents.filter((document) =>
      hasAny(document) && (isScrubbed || !document.held.some(({ node }) => damaged.has(node)))
    ).flatMap((document) => {
      const { add, found } = finder(name, document)
      const each = document.held.map(({ digest, node }) => `${node} ${digest}`).join(", ")
      add(`the replicas differ, a minute after the heal: ${each}`)
      return found
    }),
    ...everywhere(name, [
      ...idle.idleWrites > 0 ? [`${idle.idleWrites} writes a minute after the heal`] : [],
      ...idle.idleRepairs > 0 ? [`${idle.idleRepairs} repairs a minute after the heal`] : [],
      ...idle.idleDifferences > 0
        ? [`${idle.idleDifferences} differences a minute after the heal`]
        : []
    ])
  ]
}
