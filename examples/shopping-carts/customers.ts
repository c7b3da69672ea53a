/**
 * Draws the actions of customers, from a seed: which items a device puts into a cart, and which it
 * takes out again. All three buckets get the same.
 */

/** One thing that a device does to a cart. */
export type Step =
  | {
    readonly kind: "add"
    readonly item: string
    readonly pieces: number
    readonly addition: string
  }
  | { readonly kind: "remove"; readonly item: string }

export interface Customer {
  readonly name: string
  /** The steps of each device, one after the other; the devices act at the same time. */
  readonly devices: ReadonlyArray<ReadonlyArray<Step>>
}

export const devices = ["phone", "laptop", "assistant"] as const

/** The generator mulberry32: small, and the same everywhere. */
const makeRandom = (seed: number): () => number => {
  let state = seed
  return () => {
    state = state + 0x6d2b_79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296
  }
}

/** Of the items of a basket, this share has its quantity changed, and this share is removed. */
const changedShare = 0.15
const removedShare = 0.15

const customer = (name: string, basket: ReadonlyArray<string>, random: () => number): Customer => {
  const steps: ReadonlyArray<Array<Step>> = devices.map(() => [])
  let additions = 0
  const someDevice = () => Math.floor(random() * devices.length)
  const add = (item: string) => {
    const device = someDevice()
    const addition = `${devices[device]}-${++additions}`
    steps[device]!.push({ kind: "add", item, pieces: 1 + Math.floor(random() * 3), addition })
  }
  for (const item of basket) {
    add(item)
    if (random() < changedShare) add(item)
    if (random() < removedShare) steps[someDevice()]!.push({ kind: "remove", item })
  }
  return { name, devices: steps }
}

/** A customer for each line of a file of baskets, items separated by commas. */
export const customersOf = (csv: string, seed: number): ReadonlyArray<Customer> => {
  const random = makeRandom(seed)
  return csv.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line, i) =>
    customer(`customer-${i}`, line.split(",").map((item) => item.trim()), random)
  )
}
