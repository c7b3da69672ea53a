/**
 * Lists the loads that a client of any program can be put under, as far as the program has them.
 */
import { bodyOf, documentCount, keyOf } from "../measure.ts"
import type { Client } from "./Program.ts"

export interface Load {
  /** In words, for the table. */
  readonly title: string
  readonly inFlights: ReadonlyArray<number>
  /** Operations that begin in each second, whether earlier ones have ended or not. */
  readonly rate?: number
  /** A node is killed in the first third, and started again in the second. */
  readonly isOutage?: true
  /** What must be there before, and is filled in once. */
  readonly needs: Need
  /** Absent where the program has no such operation. */
  readonly operation: (client: Client) => ((i: number) => Promise<unknown>) | undefined
}

/** Documents that a load works on, by the name under which they are remembered to be there. */
export interface Need {
  readonly name: string
  readonly fill: (client: Client, each: ForEach) => Promise<void>
}

/** Runs so many calls, with some at once. */
export type ForEach = (count: number, call: (i: number) => Promise<unknown>) => Promise<void>

const inFlights = [1, 64, 512]
const hotKeys = 16

let version = 0
const put = (client: Client) => (key: string): Promise<unknown> =>
  client.put(key, bodyOf(++version))

const documents: Need = {
  name: "documents",
  fill: (client, each) => each(documentCount, (i) => put(client)(keyOf(i)))
}

const nothing: Need = { name: "nothing", fill: async () => undefined }

/** Every twentieth is a put. */
const mixed = (client: Client) => {
  const write = put(client)
  return (i: number) => (i % 20 === 0 ? write(keyOf(i)) : client.get(keyOf(i)))
}

const update = ({ update }: Client, change: (text: string, i: number) => string) =>
  update === undefined
    ? undefined
    : (i: number) => update(`u${keyOf(i)}`, (text) => change(text, i))

const increment = (client: Client) => {
  const { increment } = client
  return increment === undefined
    ? update(client, (text) => String(Number(text) + 1))
    : (i: number) => increment(`i${keyOf(i)}`)
}

/** Carts hold some of so many items, and each addition is one more piece. */
const items = 20

const withOneMore = (text: string, item: string): string => {
  const cart: Record<string, number> = text.startsWith("{") ? JSON.parse(text) : {}
  return JSON.stringify({ ...cart, [item]: (cart[item] ?? 0) + 1 })
}

const itemOf = (i: number): string => `item-${(i * 7) % items}`

const addToCart = ({ addToCart, update }: Client) => {
  if (addToCart !== undefined) return (i: number) => addToCart(`c${keyOf(i)}`, itemOf(i))
  if (update === undefined) return undefined
  return (i: number) => update(`c${keyOf(i)}`, (text) => withOneMore(text, itemOf(i)))
}

/** More than this at once is no longer one change of a user. */
const elementsAtOnce = 1_000

const elementsFrom = (first: number, count: number): ReadonlyArray<string> =>
  Array.from({ length: Math.min(elementsAtOnce, count - first) }, (_, i) => `e${first + i}`)

/** One more element of a set of so many, which has it already. */
export const setLoad = (count: number): Load => ({
  title: `add to a set of ${count}`,
  inFlights: [1, 8],
  needs: {
    name: `set of ${count}`,
    fill: async ({ add }) => {
      for (let first = 0; first < count; first += elementsAtOnce) {
        await add?.(`s${count}`, elementsFrom(first, count))
      }
    }
  },
  operation: ({ add }) =>
    add === undefined ? undefined : (i) => add(`s${count}`, [`e${(i * 7_919) % count}`])
})

/** One more of a counter in a map of so many. */
export const tallyLoad = (count: number): Load => ({
  title: `add to a map of ${count} counters`,
  inFlights: [1, 8],
  needs: {
    name: `tally of ${count}`,
    fill: async ({ addToTally }) => {
      for (let first = 0; first < count; first += elementsAtOnce) {
        await addToTally?.(`t${count}`, elementsFrom(first, count))
      }
    }
  },
  operation: ({ addToTally }) =>
    addToTally === undefined
      ? undefined
      : (i) => addToTally(`t${count}`, [`e${(i * 7_919) % count}`])
})

interface Large {
  readonly bytes: number
  readonly count: number
  readonly inFlights: ReadonlyArray<number>
}

const largePut = (client: Client, { bytes, count }: Large) => (i: number): Promise<unknown> =>
  client.put(`l${bytes}-${i % count}`, String(++version).padStart(bytes, "x"))

const largeNeed = (large: Large): Need => ({
  name: `documents of ${large.bytes}`,
  fill: (client, each) => each(large.count, largePut(client, large))
})

const largePuts = (title: string, large: Large): Load => ({
  title,
  inFlights: large.inFlights,
  needs: largeNeed(large),
  operation: (client) => largePut(client, large)
})

const largeGets = (title: string, large: Large): Load => ({
  title,
  inFlights: large.inFlights,
  needs: largeNeed(large),
  operation: (client) => (i) => client.get(`l${large.bytes}-${i % large.count}`)
})

const tenKilobytes = { bytes: 10_000, count: 1_000, inFlights: [1, 64] }
const halfMegabyte = { bytes: 500_000, count: 40, inFlights: [1, 8] }

export const loads: Readonly<Record<string, Load>> = {
  put: {
    title: "put",
    inFlights,
    needs: documents,
    operation: (client) => (i) => put(client)(keyOf(i))
  },
  get: {
    title: "get",
    inFlights,
    needs: documents,
    operation: (client) => (i) => client.get(keyOf(i))
  },
  mixed: {
    title: "95/5 mixed",
    inFlights,
    needs: documents,
    operation: mixed
  },
  hot: {
    title: "put to 16 keys",
    inFlights,
    needs: documents,
    operation: (client) => (i) => put(client)(`k${i % hotKeys}`)
  },
  update: {
    title: "read-modify-write",
    inFlights,
    needs: nothing,
    operation: (client) => update(client, (_text, i) => bodyOf(i))
  },
  increment: { title: "increment", inFlights, needs: nothing, operation: increment },
  cart: { title: "add to a cart", inFlights, needs: nothing, operation: addToCart },
  ...Object.fromEntries(
    [10, 100, 1_000, 10_000, 100_000].map((count) => [`set-${count}`, setLoad(count)])
  ),
  "put-10k": largePuts("put 10 KB", tenKilobytes),
  "get-10k": largeGets("get 10 KB", tenKilobytes),
  "put-500k": largePuts("put 500 KB", halfMegabyte),
  "get-500k": largeGets("get 500 KB", halfMegabyte),
  fixed: {
    title: "500/s mixed",
    inFlights: [0],
    rate: 500,
    needs: documents,
    operation: mixed
  },
  outage: {
    title: "500/s, node killed",
    inFlights: [0],
    rate: 500,
    isOutage: true,
    needs: documents,
    operation: mixed
  }
}
