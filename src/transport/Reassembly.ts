/**
 * Puts runs of messages back together that were too long for one frame.
 *
 * Parts may come in any order, twice, or never: waiting parts are bounded, and the oldest run gives
 * way. The sender of a request that was in a lost run sends it again.
 */

export interface Part {
  readonly sender: string
  readonly transfer: number
  readonly index: number
  readonly count: number
  readonly bytes: Uint8Array
}

interface Run {
  readonly parts: Array<Uint8Array | undefined>
  missing: number
  /** Bytes of its parts so far, and of its bookkeeping. */
  bytes: number
}

/** A run's share of memory before its first byte, roughly: its name, and an entry for each part. */
const bytesOf = ({ count }: Part): number => 200 + count * 8

export interface Reassembly {
  /** The whole run, once its last part is there. */
  readonly add: (part: Part) => Uint8Array | undefined
  readonly waitingBytes: () => number
  /** Runs given up because too much was waiting. */
  readonly abandoned: () => number
}

export const make = (
  limits: { readonly bytesMax: number; readonly partsMax: number }
): Reassembly => {
  const runs = new Map<string, Run>()
  let waiting = 0
  let abandoned = 0

  const forget = (name: string, run: Run) => {
    runs.delete(name)
    waiting -= run.bytes
  }

  const makeRoom = () => {
    for (const [name, run] of runs) {
      if (waiting <= limits.bytesMax) return
      forget(name, run)
      abandoned++
    }
  }

  const add = (part: Part): Uint8Array | undefined => {
    if (part.count > limits.partsMax) {
      abandoned++
      return undefined
    }
    const name = `${part.sender} ${part.transfer} ${part.count}`
    let run = runs.get(name)
    if (run === undefined) {
      const bytes = bytesOf(part)
      run = { parts: Array.from({ length: part.count }), missing: part.count, bytes }
      runs.set(name, run)
      waiting += bytes
    }
    if (run.parts[part.index] !== undefined) return undefined
    run.missing--
    // The last part is not kept beyond this call.
    run.parts[part.index] = run.missing > 0 ? new Uint8Array(part.bytes) : part.bytes
    run.bytes += part.bytes.length
    waiting += part.bytes.length
    if (run.missing > 0) {
      makeRoom()
      return undefined
    }
    forget(name, run)
    return Buffer.concat(run.parts.filter((bytes) => bytes !== undefined))
  }

  return { add, waitingBytes: () => waiting, abandoned: () => abandoned }
}
