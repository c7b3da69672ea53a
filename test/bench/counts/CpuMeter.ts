/**
 * Samples where a thread spends its time, and says by room what that is of the CPU it took. V8
 * samples by the clock, so a thread that waits for a core or for the disk is sampled too: the
 * samples are shares of the thread's CPU time, no times.
 */
import { type Profiler, Session } from "node:inspector"
import { isMainThread } from "node:worker_threads"
import { type Meter, noFigures } from "./Figures.ts"
import type { Frame } from "./Places.ts"
import { Rooms } from "./Rooms.ts"

const samplingMicros = 250

const isIdle = ({ functionName }: Profiler.ProfileNode["callFrame"]): boolean =>
  functionName === "(idle)"

const total = ({ system, user }: NodeJS.CpuUsage): number => system + user

/** Adds each sample to its room; returns how many there are. */
const gather = ({ nodes, samples = [] }: Profiler.Profile, rooms: Rooms): number => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map<number, Profiler.ProfileNode>()
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node)
  const counts = new Map<number, number>()
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1)
  let gathered = 0
  for (const [id, count] of counts) {
    let node = byId.get(id)
    if (node === undefined || isIdle(node.callFrame)) continue
    const frames: Array<Frame> = []
    for (; node !== undefined; node = parents.get(node.id)) {
      const { functionName: name, lineNumber, url } = node.callFrame
      frames.push({ name, url, line: lineNumber + 1 })
    }
    rooms.add(frames, count)
    gathered += count
  }
  return gathered
}

export const cpuMeter = (root: string): Meter => {
  const session = new Session()
  session.connect()
  let thread = 0
  let all = 0
  return {
    start: () => {
      session.post("Profiler.enable")
      session.post("Profiler.setSamplingInterval", { interval: samplingMicros })
      session.post("Profiler.start")
      thread = total(process.threadCpuUsage())
      all = total(process.cpuUsage())
    },
    stop: () => {
      const threadMicros = total(process.threadCpuUsage()) - thread
      const processMicros = isMainThread ? total(process.cpuUsage()) - all : 0
      const rooms = new Rooms(root)
      let samples = 0
      // The callback is called before `post` returns: the session is in this very thread.
      session.post("Profiler.stop", (_error, { profile }) => {
        samples = gather(profile, rooms)
      })
      const scaled = Object.entries(rooms.take()).map(([room, count]) =>
        [room, count / Math.max(samples, 1) * threadMicros] as const
      )
      return { ...noFigures, threadMicros, processMicros, rooms: Object.fromEntries(scaled) }
    }
  }
}
