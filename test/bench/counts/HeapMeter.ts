/**
 * Samples what a thread allocates on V8's heap, with what the collector has freed since. One sample
 * stands for `samplingInterval` bytes on average, so a figure of some hundred MB is good to about
 * one percent. What an inlined function allocates is charged to the one that it is inlined into.
 */
import { type HeapProfiler, Session } from "node:inspector"
import { type Meter, noFigures } from "./Figures.ts"
import { type Frame, Places } from "./Places.ts"
import { Rooms } from "./Rooms.ts"

const sampling = {
  samplingInterval: 8_192,
  stackDepth: 96,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true
}

export const heapMeter = (root: string): Meter => {
  const session = new Session()
  session.connect()
  const stopSampling = (): HeapProfiler.SamplingHeapProfileNode => {
    let head: HeapProfiler.SamplingHeapProfileNode | undefined
    // The callback is called before `post` returns: the session is in this very thread.
    session.post("HeapProfiler.stopSampling", (_error, { profile }) => {
      head = profile.head
    })
    if (head === undefined) throw new Error("the heap was not sampled")
    return head
  }
  return {
    start: () => session.post("HeapProfiler.startSampling", sampling),
    stop: () => {
      const places = new Places(root)
      const rooms = new Rooms(root)
      let heap = 0
      const visit = (
        node: HeapProfiler.SamplingHeapProfileNode,
        callers: ReadonlyArray<Frame>
      ): void => {
        const { functionName: name, lineNumber, url } = node.callFrame
        const frames = [{ name, url, line: lineNumber + 1 }, ...callers]
        heap += node.selfSize
        if (node.selfSize > 0) {
          places.add(frames, node.selfSize)
          rooms.add(frames, node.selfSize)
        }
        for (const child of node.children) visit(child, frames)
      }
      visit(stopSampling(), [])
      return { ...noFigures, heap, allocations: places.take(), rooms: rooms.take() }
    }
  }
}
