/**
 * Says what both specifications must know of nodes: which there can be, what their votes are worth,
 * and who stands in for whom.
 */
import { NodeId } from "../../../src/core/model/Names.ts"
import type { Nodes, Substitute, Target } from "../../../src/core/quorum/Targets.ts"
import { agree } from "./Exploration.ts"

export const nodeName = (name: string): NodeId => NodeId.make(name)

export type Kind = Omit<Target, "node">

/** The kinds of a target. */
export const kinds = {
  complete: { primary: true, previous: false, up: true },
  incomplete: { primary: false, previous: false, up: true },
  completeBefore: { primary: true, previous: true, up: true },
  leaving: { primary: false, previous: true, up: true },
  completeDown: { primary: true, previous: false, up: false },
  incompleteDown: { primary: false, previous: false, up: false }
}

/** The kinds of targets while all are up and no transfer goes on. */
export const settledKinds: ReadonlyArray<Kind> = [kinds.complete]
export const allKinds: ReadonlyArray<Kind> = Object.values(kinds)

/**
 * Every choice of `count` targets of these kinds, with 0 to 2 fallbacks. Order among targets is
 * left out: all orders of events are explored, and nothing else tells targets apart.
 */
export const nodeChoices = (
  options: { readonly count: number; readonly among: ReadonlyArray<Kind> }
): ReadonlyArray<Nodes> => {
  const choose = (count: number, from: number): ReadonlyArray<ReadonlyArray<Kind>> =>
    count === 0
      ? [[]]
      : options.among.flatMap((kind, i) =>
        i < from ? [] : choose(count - 1, i).map((rest) => [kind, ...rest])
      )
  return choose(options.count, 0).flatMap((targets) =>
    [0, 1, 2].map((fallbacks) => ({
      targets: targets.map((kind, i) => ({ node: nodeName(`a${i}`), ...kind })),
      fallbacks: Array.from({ length: fallbacks }, (_, i) => nodeName(`b${i}`))
    }))
  )
}

/** Names of nodes, in the order of the alphabet, which is here that of the indices. */
export const namesOf = (
  { fallbacks, targets }: Nodes,
  indices: ReadonlyArray<number>
): ReadonlyArray<NodeId> =>
  indices.map((i) => targets[i]?.node ?? fallbacks[i - targets.length]!).toSorted()

export const range = (from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let i = from; i <= to; i++) found.push(i)
  return found
}

/** The nodes that were sent the request. */
export interface Roll {
  readonly asked: ReadonlyArray<number>
  /** By fallback asked: the target it stands for. */
  readonly standsFor: ReadonlyArray<number>
}

export const startingRoll = ({ targets }: Nodes): Roll => ({
  asked: range(0, targets.length - 1).filter((index) => targets[index]!.up),
  standsFor: []
})

type IsLost = (index: number) => boolean

/** Targets that need a stand-in and have none that could still do its part. */
export const lacking = (
  { targets }: Nodes,
  { standsFor }: Pick<Roll, "standsFor">,
  isLost: IsLost
): ReadonlyArray<number> =>
  range(0, targets.length - 1).filter((i) => {
    const { previous, primary, up } = targets[i]!
    const isLeaving = previous && !primary
    const hasStandIn = standsFor.some((of, k) => of === i && !isLost(targets.length + k))
    return (!up || isLost(i)) && !isLeaving && !hasStandIn
  })

/** As many strangers' indices as fallbacks will be asked next. */
export const coming = (nodes: Nodes, roll: Roll, isLost: IsLost): ReadonlyArray<number> => {
  const unused = nodes.fallbacks.length - roll.standsFor.length
  return range(1, Math.min(unused, lacking(nodes, roll, isLost).length)).map((i) => 100 + i)
}

/** Checks who is asked next, and adds them. */
export const takeOver = (
  nodes: Nodes,
  roll: Roll,
  options: { readonly substitutes: ReadonlyArray<Substitute>; readonly isLost: IsLost }
): Roll => {
  const asked = [...roll.asked]
  const standsFor = [...roll.standsFor]
  for (const { hintFor, index, node } of options.substitutes) {
    const target = nodes.targets.findIndex((target) => target.node === hintFor)
    const needing = lacking(nodes, { standsFor }, options.isLost)
    agree(needing.includes(target), "who is replaced needs it")
    agree(node === nodes.fallbacks[standsFor.length], "the next fallback")
    agree(index === nodes.targets.length + standsFor.length, "the index of the fallback")
    standsFor.push(target)
    asked.push(index)
  }
  return { asked, standsFor }
}

/** One number for a few small ones, each less than 16. */
export const packed = (digits: ReadonlyArray<number>): number =>
  digits.reduce((number, digit) => number * 16 + digit, 1)

/** How many of these votes count for `pr` and `pw`. */
export const primaryVotes = ({ targets }: Nodes, votes: ReadonlyArray<number>): number => {
  const among = (field: "primary" | "previous"): number =>
    votes.filter((index) => targets[index]?.[field] === true).length
  const isTransfer = targets.some(({ previous }) => previous)
  return isTransfer ? Math.min(among("primary"), among("previous")) : among("primary")
}

/** The targets that were believed down from the start. */
export const downOf = ({ targets }: Nodes): ReadonlyArray<number> =>
  range(0, targets.length - 1).filter((index) => !targets[index]!.up)

/** How many replicas the bucket has. */
export const replicasOf = ({ targets }: Nodes): number =>
  targets.filter(({ previous, primary }) => primary || !previous).length
