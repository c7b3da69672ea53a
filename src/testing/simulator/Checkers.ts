/**
 * Lists the promises that every run is checked for.
 */
import { acknowledgements } from "./checkers/Acknowledgements.ts"
import { addWins } from "./checkers/AddWins.ts"
import { beliefs } from "./checkers/Beliefs.ts"
import { carts } from "./checkers/Carts.ts"
import {
  availability,
  bounds,
  convergence,
  filling,
  handoff,
  identity
} from "./checkers/ClusterPromises.ts"
import { counters } from "./checkers/Counters.ts"
import { equalContexts } from "./checkers/EqualContexts.ts"
import { inventions } from "./checkers/Inventions.ts"
import { lastWriteWins } from "./checkers/LastWriteWins.ts"
import { nestedDocuments } from "./checkers/NestedDocuments.ts"
import { sessions } from "./checkers/Sessions.ts"
import { shownVersions } from "./checkers/ShownVersions.ts"
import { siblingBounds } from "./checkers/SiblingBounds.ts"
import { siblings } from "./checkers/Siblings.ts"
import { strictReads } from "./checkers/StrictReads.ts"
import { unread } from "./checkers/Unread.ts"
import type { Checker, Record, Violation } from "./History.ts"

export const checkers: ReadonlyArray<Checker> = [
  lastWriteWins,
  siblings,
  siblingBounds,
  addWins,
  counters,
  nestedDocuments,
  carts,
  inventions,
  equalContexts,
  sessions,
  strictReads,
  shownVersions,
  acknowledgements,
  availability,
  convergence,
  unread,
  handoff,
  filling,
  identity,
  bounds,
  beliefs
]

/** All violations in a run. */
export const checkAll = (
  record: Record,
  which: ReadonlyArray<Checker> = checkers
): ReadonlyArray<Violation> => which.flatMap((checker) => checker.check(record))
