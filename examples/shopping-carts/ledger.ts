/**
 * Keeps account of acknowledged operations, and compares them with the carts in the end.
 *
 * Lost: an acknowledged addition that is absent without a removal that had seen it. Resurrected: an
 * item that is present although an acknowledged removal had seen every addition of it. Invented: an
 * addition that no customer made.
 */
import type { Contents } from "./carts.ts"

interface Removal {
  readonly item: string
  readonly seen: ReadonlySet<string>
  readonly acknowledged: boolean
}

/** The known operations on one cart. */
export interface Account {
  /** Additions that were tried, with their items. */
  readonly tried: Map<string, string>
  readonly acknowledged: Set<string>
  readonly removals: Array<Removal>
}

export const openAccount = (): Account => ({
  tried: new Map(),
  acknowledged: new Set(),
  removals: []
})

export interface Result {
  readonly acknowledged: number
  readonly kept: number
  readonly lost: number
  readonly resurrected: number
  readonly invented: number
}

export const nothing: Result = { acknowledged: 0, kept: 0, lost: 0, resurrected: 0, invented: 0 }

export const sum = (left: Result, right: Result): Result => ({
  acknowledged: left.acknowledged + right.acknowledged,
  kept: left.kept + right.kept,
  lost: left.lost + right.lost,
  resurrected: left.resurrected + right.resurrected,
  invented: left.invented + right.invented
})

/** Compares an account with the cart. */
export const settle = (account: Account, contents: Contents): Result => {
  const present = new Set([...contents.values()].flatMap((additions) => [...additions]))
  const wasSeen = (addition: string) => account.removals.some(({ seen }) => seen.has(addition))
  const all = (item: string) =>
    [...account.tried].filter(([, of]) => of === item).map(([addition]) => addition)
  const resurrected = [...contents.keys()].filter((item) =>
    account.removals.some((removal) =>
      removal.acknowledged && removal.item === item
      && all(item).every((addition) => removal.seen.has(addition))
    )
  )
  const acknowledged = [...account.acknowledged]
  return {
    acknowledged: acknowledged.length,
    kept: acknowledged.filter((addition) => present.has(addition)).length,
    lost: acknowledged.filter((addition) => !present.has(addition) && !wasSeen(addition)).length,
    resurrected: resurrected.length,
    invented: [...present].filter((addition) => !account.tried.has(addition)).length
  }
}
