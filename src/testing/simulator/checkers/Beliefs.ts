/**
 * Checks what nodes believe of each other.
 */
import type { Checker } from "../History.ts"
import { everywhere } from "./Judging.ts"

export const beliefs: Checker = {
  name: "beliefs",
  promise: "a healed cluster believes each node up, one that stops is soon believed down by all, "
    + "and what a node knows of another never goes back",
  check: ({ beliefs: problems }) => everywhere("beliefs", problems)
}
