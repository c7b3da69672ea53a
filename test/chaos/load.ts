/**
 * Sends requests at a steady rate, however the earlier ones fare, and keeps the outcome of each.
 *
 * Half of the writes ask for one replica (`available`), half for nothing, which is the default of
 * two of three on disk; each half has documents of its own, so that its losses can be told apart.
 */
import { QuorumNotMet, type ReadOptions, type WriteOptions } from "../../src/index.ts"
import { type ChaosDb, families, type Family } from "./families.ts"
import { type Account, acknowledgedBefore, type Attempt, type Verdict } from "./ledger.ts"
import type { Random } from "./random.ts"

export type Mode = "w: 1" | "default"

const optionsOf: Readonly<Record<Mode, ReadOptions & WriteOptions>> = {
  "w: 1": { consistency: "available" },
  "default": {}
}

/** The calls of one kind: writes of a mode, or reads with the default consistency. */
export type Kind = Mode | "get"

export interface Calls {
  all: number
  acknowledged: number
  refused: number
  unknown: number
  longestMillis: number
}

export interface Written {
  readonly family: Family
  readonly mode: Mode
  readonly key: string
  readonly account: Account
}

export interface LoadOptions {
  /** One is drawn for each request. */
  readonly clients: ReadonlyArray<ChaosDb>
  readonly random: Random
  readonly perSecond: number
  readonly keysOfEach: number
  /** Begins the keys of this load: others may have gone before. */
  readonly keyPrefix: string
}

/** Beyond these no more are begun: nodes that answer nothing would fill the memory. */
const underWayMax = 2_000
const tickMillis = 20
const readShare = 4

const noCalls = (): Calls => ({
  all: 0,
  acknowledged: 0,
  refused: 0,
  unknown: 0,
  longestMillis: 0
})

export class Load {
  readonly documents: ReadonlyArray<Written>
  readonly calls: Readonly<Record<Kind, Calls>> = {
    "w: 1": noCalls(),
    "default": noCalls(),
    "get": noCalls()
  }
  /** Writes that a read with the default consistency ought to have shown. */
  missedByReads = 0
  /** What reads showed and nobody wrote. */
  readonly wrong: Array<string> = []
  /** How often each error came. */
  readonly errors = new Map<string, number>()
  readonly #options: LoadOptions
  readonly #underWay = new Set<Promise<void>>()
  #tokens = 0
  #isPaused = false
  #ticking: NodeJS.Timeout | undefined

  constructor(options: LoadOptions) {
    this.#options = options
    const modes = ["w: 1", "default"] as const
    this.documents = families.flatMap((family) =>
      modes.flatMap((mode) =>
        Array.from({ length: options.keysOfEach }, (_, i) => ({
          family,
          mode,
          key: `${options.keyPrefix}-${mode === "default" ? "two" : "one"}-${i}`,
          account: new Map()
        }))
      )
    )
  }

  start(): void {
    let last = performance.now()
    let owed = 0
    this.#ticking = setInterval(() => {
      const now = performance.now()
      // What a busy machine missed is not made up for in a burst.
      owed += Math.min(now - last, 10 * tickMillis) / 1_000 * this.#options.perSecond
      last = now
      for (; owed >= 1; owed--) if (this.#underWay.size < underWayMax) this.#begin()
    }, tickMillis)
  }

  /** Lets requests under way end, and begins none until `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true
    await Promise.all(this.#underWay)
  }

  resume(): void {
    this.#isPaused = false
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticking)
    await Promise.all(this.#underWay)
  }

  #begin(): void {
    if (this.#isPaused) return
    const { clients, random } = this.#options
    const [client, document] = [random.of(clients), random.of(this.documents)]
    const call = random.below(readShare) === 0
      ? this.#read(client, document)
      : this.#write(client, document)
    this.#underWay.add(call)
    void call.finally(() => this.#underWay.delete(call))
  }

  async #write(client: ChaosDb, { account, family, key, mode }: Written): Promise<void> {
    const token = `t${++this.#tokens}`
    const begunAt = performance.now()
    const attempt: Attempt = { begunAt, endedAt: 0, outcome: "under way" }
    account.set(token, attempt)
    const outcome = await this.#count(
      mode,
      family.write(client, key, token, optionsOf[mode])
    )
    attempt.outcome = outcome
    attempt.endedAt = performance.now()
  }

  async #read(client: ChaosDb, { account, family, key, mode }: Written): Promise<void> {
    const begunAt = performance.now()
    let judge: ((account: Account) => Verdict) | undefined
    await this.#count(
      "get",
      family.read(client, key, {}).then((found) => {
        judge = found
      })
    )
    if (judge === undefined) return
    const { lost, wrong } = judge(acknowledgedBefore(account, begunAt))
    if (mode === "default") this.missedByReads += lost.length
    for (const token of wrong) this.wrong.push(`${family.bucket}/${key}: ${token}`)
  }

  async #count(
    kind: Kind,
    call: Promise<unknown>
  ): Promise<"acknowledged" | "refused" | "unknown"> {
    const calls = this.calls[kind]
    calls.all++
    const begunAt = performance.now()
    const outcome = await call.then(() => "acknowledged" as const, (error: unknown) => {
      const name = nameOf(error)
      this.errors.set(`${kind}: ${name}`, (this.errors.get(`${kind}: ${name}`) ?? 0) + 1)
      return mayHaveApplied(error) ? "unknown" as const : "refused" as const
    })
    calls[outcome]++
    calls.longestMillis = Math.max(calls.longestMillis, performance.now() - begunAt)
    return outcome
  }
}

/** An update reads before it writes: either may have failed. */
const nameOf = (error: unknown): string => {
  if (error instanceof QuorumNotMet) return `${error.name} of a ${error.action}`
  return error instanceof Error ? error.name : String(error)
}

const mayHaveApplied = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "mayHaveApplied" in error
  && error.mayHaveApplied === true
