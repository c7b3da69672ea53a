/**
 * Counts the work of a call instead of its time, which other programs on the machine would change:
 * how often blocks of the product's code run, and how many entries go into maps and sets that are
 * made of others. Built-in functions count nothing else.
 */
import { type Profiler, Session } from "node:inspector"
import { setFlagsFromString } from "node:v8"

export interface Work {
  /** Blocks of code that ran: the body of a function, a loop or a branch, each time. */
  readonly blocks: number
  /** Entries of maps and sets that were copied. */
  readonly copied: number
}

type Collection = new(entries?: Iterable<unknown>) => object

/** The constructor, which tells `copied` the entries that it is given. */
const counting = <C extends Collection>(constructor: C, copied: (entries: number) => void): C =>
  new Proxy(constructor, {
    construct: (target, args: ReadonlyArray<unknown>, newTarget) => {
      const [entries] = args
      if (entries instanceof Map || entries instanceof Set) copied(entries.size)
      else if (Array.isArray(entries)) copied(entries.length)
      return Reflect.construct(target, args, newTarget)
    }
  })

const isProduct = (url: string): boolean => url.includes("/src/") && !url.includes("node_modules")

const blocksOf = (scripts: ReadonlyArray<Profiler.ScriptCoverage>): number => {
  let blocks = 0
  for (const { functions, url } of scripts) {
    if (!isProduct(url)) continue
    for (const { ranges } of functions) for (const { count } of ranges) blocks += count
  }
  return blocks
}

// An optimizing compiler may put a function's body where it is called, and counts it no more.
for (const flag of ["--no-maglev", "--no-turbofan"]) setFlagsFromString(flag)

// From the start: a function that is compiled before has no counts of its blocks.
const session = new Session()
session.connect()
session.post("Profiler.enable")
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true })

/** The blocks that ran since this was called last. */
const takeBlocks = (): number => {
  let blocks = 0
  // The callback is called before `post` returns: the session is in this very thread.
  session.post("Profiler.takePreciseCoverage", (_error, { result }) => {
    blocks = blocksOf(result)
  })
  return blocks
}

/** Import this file first: it counts the blocks of code that is run for the first time later. */
export const countWork = (run: () => void): Work => {
  const { Map: map, Set: set } = globalThis
  let copied = 0
  const count = (entries: number): void => {
    copied += entries
  }
  takeBlocks()
  globalThis.Map = counting(map, count)
  globalThis.Set = counting(set, count)
  try {
    run()
  } finally {
    globalThis.Map = map
    globalThis.Set = set
  }
  return { blocks: takeBlocks(), copied }
}
