/**
 * Keeps account of the writes to one document, and compares its value with them.
 *
 * Each write has a token that no other has. Lost: an acknowledged write whose effect is absent
 * although nothing superseded it. Wrong: a value that no write explains, or the effect of a write
 * whose error said that it was not applied.
 */
export type Outcome = "under way" | "acknowledged" | "refused" | "unknown"

export interface Attempt {
  readonly begunAt: number
  endedAt: number
  outcome: Outcome
}

export type Account = Map<string, Attempt>

export interface Verdict {
  readonly lost: ReadonlyArray<string>
  readonly wrong: ReadonlyArray<string>
}

/**
 * The stamps of two nodes may order writes otherwise than a clock that sees both, by as much as the
 * nodes' clocks differ: little where all processes share a machine.
 */
const clockDifferenceMillis = 250

const tokensOf = (account: Account, outcome: Outcome): ReadonlyArray<string> =>
  [...account].filter(([, attempt]) => attempt.outcome === outcome).map(([token]) => token)

const mayBeThere = (account: Account, token: string): boolean => {
  const outcome = account.get(token)?.outcome
  return outcome !== undefined && outcome !== "refused"
}

/** Of a set, where every write adds its token and none removes any. */
export const judgeAll = (account: Account, present: ReadonlySet<string>): Verdict => ({
  lost: tokensOf(account, "acknowledged").filter((token) => !present.has(token)),
  wrong: [...present].filter((token) => !mayBeThere(account, token))
})

const numbered = (prefix: string, number: number): ReadonlyArray<string> =>
  Array.from({ length: Math.max(0, number) }, (_, i) => `${prefix} ${i + 1}`)

/** Of a counter, to which every write adds one. */
export const judgeCount = (account: Account, count: number): Verdict => {
  const least = tokensOf(account, "acknowledged").length
  const most = [...account].filter(([token]) => mayBeThere(account, token)).length
  return { lost: numbered("missing", least - count), wrong: numbered("too many", count - most) }
}

/** Of a register where the last write wins: none was acknowledged that began after its end. */
export const judgeLast = (account: Account, token: string | undefined): Verdict => {
  const acknowledged = tokensOf(account, "acknowledged")
  if (token === undefined) return { lost: acknowledged.slice(-1), wrong: [] }
  if (!mayBeThere(account, token)) return { lost: [], wrong: [token] }
  const winner = account.get(token)!
  // One in doubt may have been applied at any later time.
  if (winner.outcome !== "acknowledged") return { lost: [], wrong: [] }
  const later = acknowledged.filter((other) =>
    account.get(other)!.begunAt > winner.endedAt + clockDifferenceMillis
  )
  return { lost: later.slice(-1), wrong: [] }
}

/** The account as it stood at a time: a read that began then is to show what was acknowledged. */
export const acknowledgedBefore = (account: Account, at: number): Account =>
  new Map(
    [...account].map(([token, attempt]) => {
      const isLate = attempt.outcome === "acknowledged" && attempt.endedAt > at
      return [token, isLate ? { ...attempt, outcome: "unknown" as const } : attempt]
    })
  )
