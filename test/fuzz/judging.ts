/**
 * Judges a node under a fuzzer: the longest turn of its event loop in CPU time, the memory that it
 * holds, the documents on its disks, and the alarms that it raises.
 */
import { createHash } from "node:crypto"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { alarmsOf } from "../../src/node/Alarms.ts"
import type { MemoryNode } from "../cluster/memoryCluster.ts"

/** No turn of the event loop takes longer: until it ends, a node answers nobody. */
export const turnMillisMax = 200

/** CPU time of this thread, in milliseconds: other programs on the machine do not count. */
export const cpuMillis = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1_000
}

/** All documents on the disk of a node, as one text that differs where any byte does. */
export const diskDigest = ({ disk }: MemoryNode): string => {
  const hash = createHash("sha256")
  const rows = disk.database.prepare("SELECT * FROM documents ORDER BY 1, 2, 3, 4, 5").all()
  for (const row of rows) {
    for (const cell of Object.values(row)) {
      hash.update(cell instanceof Uint8Array ? cell : String(cell)).update("\0")
    }
  }
  return `${rows.length} rows, ${hash.digest("hex")}`
}

export const alarmsAt = ({ core }: MemoryNode): ReadonlyArray<string> =>
  alarmsOf(core).filter((alarm) => alarm.count() > 0).map(({ name }) => name)

let collect: (() => void) | undefined

/**
 * Bytes that this process cannot do without. V8 goes on freeing buffers after a collection has
 * returned, and counts them until it has: only a second collection finds them gone.
 */
export const neededBytes = async (): Promise<number> => {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc")
    const gc: unknown = runInNewContext("gc")
    collect = typeof gc === "function" ? () => void gc() : () => undefined
  }
  collect()
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** An input that broke a promise: which one, and the input as far as a person can read it. */
export class Fault extends Error {
  override readonly name = "Fault"
  constructor(problem: string, input: string | Uint8Array = "") {
    const text = typeof input === "string" ? input : Buffer.from(input).toString("latin1")
    super(text === "" ? problem : `${problem}: ${JSON.stringify(text.slice(0, 500))}`)
  }
}

/** What an episode of a fuzzer shows where nothing was wrong. */
export interface Episode {
  readonly inputs: number
  /** CPU milliseconds. */
  readonly longestTurn: number
  /** How often each outcome came. */
  readonly outcomes: ReadonlyMap<string, number>
}

/** Counts outcomes by name. */
export class Outcomes {
  readonly counts = new Map<string, number>()

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count)
  }
}
