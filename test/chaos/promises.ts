/**
 * Lists the promises that a scenario checks. A run that breaks one ends with an error.
 */
import type { Figures } from "./run.ts"

export interface ChaosPromise {
  readonly claim: string
  readonly holds: (figures: Figures) => boolean
}

export const promises: ReadonlyArray<ChaosPromise> = [
  {
    claim: "no write that two replicas had on disk is lost",
    holds: ({ audit }) => audit.lost.default === 0
  },
  {
    claim: "no acknowledged write is lost where no disk is",
    holds: ({ audit, scenario }) => scenario.losesDisk === true || audit.lost["w: 1"] === 0
  },
  {
    claim: "no write that all replicas had is lost with one disk",
    holds: ({ audit }) => audit.lostOfAll === 0
  },
  {
    claim: "a node that lost its disk has everything again in time",
    holds: ({ fillTimes }) => fillTimes.every((seconds) => seconds !== undefined)
  },
  {
    claim: "the replicas of a document are equal in time after the faults though nobody reads",
    holds: ({ withoutReads }) => withoutReads.unequal.length === 0
  },
  {
    claim: "no value is shown that no client wrote",
    holds: ({ audit }) => audit.wrong.length === 0
  },
  {
    claim: "every document that was written can be read from all of its replicas after the faults",
    holds: ({ audit }) => audit.unread.length === 0
  },
  {
    claim: "the replicas of a document are equal after it was read from all of them",
    holds: ({ afterReads }) => afterReads.unequal.length === 0
  }
]

export const brokenOf = (figures: Figures): ReadonlyArray<string> =>
  promises.filter(({ holds }) => !holds(figures)).map(({ claim }) => claim)
