/**
 * Draws the clients' operations in a run: on which documents, through which nodes, when. Weights
 * are drawn first, and many of them are zero, so that runs differ in kind and not only in detail.
 */
import type { Consistency } from "../../core/model/Settings.ts"
import type { PlannedAction, PlannedOperation, Seen } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { type SimBucketName, simBuckets } from "./SimBuckets.ts"

/** The source from which all of a plan is drawn. */
export interface PlanFacts {
  readonly nodes: ReadonlyArray<string>
  readonly chaosMillis: number
}

export interface Workload {
  readonly guarded: ReadonlyArray<number>
  readonly operations: ReadonlyArray<PlannedOperation>
}

export type Weighted<A> = ReadonlyArray<readonly [A, number]>

const operationsMin = 150
const operationsMax = 300
export const sessionsMax = 12
const keysMax = 12
const itemsMax = 6
/** Four to the power of 26 is the last one below 2^53. */
const digitsMax = 26

/** Weights of very different sizes, some of them zero, at least one not. */
export const weigh = <A>(random: SeededRandom, choices: ReadonlyArray<A>): Weighted<A> => {
  const weights = choices.map((choice) =>
    [choice, random.chance(0.25) ? 0 : 2 ** (5 * random.next())] as const
  )
  return weights.some(([, weight]) => weight > 0) ? weights : [[random.pick(choices), 1]]
}

/** One of the choices, as often as its weight says. */
export const draw = <A>(random: SeededRandom, weighted: Weighted<A>): A => {
  const sum = weighted.reduce((total, [, weight]) => total + weight, 0)
  let left = random.next() * sum
  for (const [choice, weight] of weighted) {
    left -= weight
    if (left < 0) return choice
  }
  return weighted.find(([, weight]) => weight > 0)![0]
}

const kinds: { readonly [Name in SimBucketName]: ReadonlyArray<PlannedAction["kind"]> } = {
  registers: ["put", "delete"],
  notes: ["put", "delete"],
  tags: ["add", "remove", "delete"],
  counts: ["increment", "delete"],
  documents: ["add", "remove", "title", "delete"],
  carts: ["add", "remove"]
}

const seens: ReadonlyArray<Seen> = ["nothing", "fresh", "kept"]
export const levels: ReadonlyArray<Consistency> = ["available", "balanced", "strict"]

/** All that is fixed for the run, and the digits that are left of each counter. */
class Drawing {
  readonly #random: SeededRandom
  readonly #facts: PlanFacts
  readonly #buckets: Weighted<SimBucketName>
  readonly #kinds: ReadonlyMap<SimBucketName, Weighted<PlannedAction["kind"]>>
  readonly #seens: Weighted<Seen>
  readonly #levels: Weighted<Consistency>
  readonly #homes: ReadonlyArray<string>
  readonly #readShare: number
  readonly #roamShare: number
  readonly #hotShare: number
  readonly #keys: number
  readonly #items: number
  readonly #digits = new Map<string, number>()

  constructor(random: SeededRandom, facts: PlanFacts) {
    this.#random = random
    this.#facts = facts
    this.#buckets = weigh(random, simBuckets.map(({ name }) => name))
    this.#kinds = new Map(simBuckets.map(({ name }) => [name, weigh(random, kinds[name])]))
    this.#seens = weigh(random, seens)
    this.#levels = weigh(random, levels)
    const sessions = random.integer(1, sessionsMax)
    this.#homes = Array.from({ length: sessions }, () => random.pick(facts.nodes))
    this.#readShare = 0.1 + 0.4 * random.next()
    this.#roamShare = random.chance(0.5) ? 0 : random.next()
    this.#hotShare = 0.2 + 0.6 * random.next()
    this.#keys = random.integer(1, keysMax)
    this.#items = random.integer(1, itemsMax)
  }

  get sessions(): number {
    return this.#homes.length
  }

  operation(id: number, atMillis: number): PlannedOperation {
    const random = this.#random
    const session = random.integer(0, this.#homes.length - 1)
    const roams = random.chance(this.#roamShare)
    const bucket = draw(random, this.#buckets)
    const number = random.chance(this.#hotShare) ? 0 : random.integer(0, this.#keys - 1)
    const key = `${bucket}${number}`
    return {
      id,
      atMillis,
      session,
      node: roams ? random.pick(this.#facts.nodes) : this.#homes[session]!,
      bucket,
      key,
      consistency: draw(random, this.#levels),
      action: random.chance(this.#readShare) ? { kind: "read" } : this.#write(bucket, key)
    }
  }

  #write(bucket: SimBucketName, key: string): PlannedAction {
    const random = this.#random
    const kind = draw(random, this.#kinds.get(bucket)!)
    const drawn = draw(random, this.#seens)
    // A cart is never written blindly: that would be another bucket.
    const seen = bucket === "carts" && drawn === "nothing" ? "fresh" : drawn
    switch (kind) {
      case "put":
      case "delete":
      case "title":
        return { kind, seen }
      case "add":
      case "remove": {
        const item = `i${random.integer(0, this.#items - 1)}`
        return { kind, item, seen: kind === "add" && bucket !== "carts" ? "nothing" : seen }
      }
      case "increment": {
        const digit = this.#digits.get(key) ?? 0
        this.#digits.set(key, digit + 1)
        return digit < digitsMax ? { kind, digit } : { kind: "read" }
      }
      case "read":
        return { kind }
    }
  }
}

/** Spread evenly, but for some that fall into the same millisecond: equal stamps, full frames. */
const drawTimes = (
  random: SeededRandom,
  count: number,
  { chaosMillis }: PlanFacts
): ReadonlyArray<number> => {
  const burstShare = random.chance(0.5) ? 0 : 0.7 * random.next()
  const times: Array<number> = []
  while (times.length < count) {
    const before = times.at(-1)
    const joins = before !== undefined && random.chance(burstShare)
    times.push(joins ? before : random.integer(0, chaosMillis))
  }
  return times.sort((a, b) => a - b)
}

export const drawWorkload = (random: SeededRandom, facts: PlanFacts): Workload => {
  const count = random.integer(operationsMin, operationsMax)
  const times = drawTimes(random, count, facts)
  const drawing = new Drawing(random, facts)
  const operations = times.map((at, id) => drawing.operation(id + 1, at))
  const sessions = Array.from({ length: drawing.sessions }, (_, number) => number)
  return { operations, guarded: sessions.filter(() => random.chance(0.5)) }
}
