/**
 * Reads every document from all of its replicas, and compares it with what was acknowledged.
 */
import type { ChaosDb } from "./families.ts"
import { type Account, acknowledgedBefore, type Verdict } from "./ledger.ts"
import type { Load, Mode, Written } from "./load.ts"
import { pause } from "./pause.ts"

export interface Audit {
  /** Acknowledged writes whose effect is gone, by how they were made. */
  readonly lost: Readonly<Record<Mode, number>>
  /** Those of them that all replicas had. */
  readonly lostOfAll: number
  readonly wrong: ReadonlyArray<string>
  /** Documents that were written and cannot be read from all of their replicas. */
  readonly unread: ReadonlyArray<string>
}

const readMillis = 30_000
const atOnce = 8

const isWritten = (account: Account): boolean =>
  [...account.values()].some(({ outcome }) => outcome === "acknowledged")

const judgeOf = async (
  db: ChaosDb,
  document: Written
): Promise<((account: Account) => Verdict) | undefined> => {
  const deadline = performance.now() + readMillis
  const { account, family, key } = document
  // A node that lost its disk is not believed that there is nothing, so of a document that nobody
  // wrote it has no answer that counts.
  const asked = isWritten(account) ? { r: "all" } as const : {}
  while (performance.now() < deadline) {
    try {
      return await family.read(db, key, { ...asked, timeout: "5 seconds" })
    } catch {
      await pause(100)
    }
  }
  return undefined
}

/** All replicas were last seen to be equal after the writes that ended by `equalAt`. */
export const audit = async (db: ChaosDb, load: Load, equalAt: number): Promise<Audit> => {
  const lost = { "w: 1": 0, "default": 0 }
  let lostOfAll = 0
  const wrong: Array<string> = [...load.wrong]
  const unread: Array<string> = []
  const waiting = load.documents.values()
  const work = async (): Promise<void> => {
    for (const document of waiting) {
      const judge = await judgeOf(db, document)
      const name = `${document.family.bucket}/${document.key}`
      if (judge === undefined) {
        unread.push(name)
        continue
      }
      const verdict = judge(document.account)
      lostOfAll += judge(acknowledgedBefore(document.account, equalAt)).lost.length
      lost[document.mode] += verdict.lost.length
      wrong.push(...verdict.wrong.map((token) => `${name}: ${token}`))
      for (const token of verdict.lost) console.error(`lost of ${name}: ${token}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  for (const token of wrong) console.error(`wrong in ${token}`)
  return { lost, lostOfAll, wrong, unread }
}
