/**
 * Lists the figures of the program, of the process that it runs in, and of its disk.
 */
import { readdirSync, statfsSync, statSync } from "node:fs"
import { join } from "node:path"
import type { Sample } from "../http/Metrics.ts"
import { counter, gauge, harmless } from "./Samples.ts"
import type { Settings } from "./Settings.ts"
import { version } from "./Version.ts"

/** The figures, read when they are asked for. */
export const processSamples = (
  { cluster, dataDir, node }: Pick<Settings, "cluster" | "dataDir" | "node">
): ReadonlyArray<Sample> => [
  {
    ...gauge("build_info", 1, ["1, with what runs here.", harmless]),
    labels: { version, node_version: process.versions.node, node, cluster }
  },
  ...cpuSamples(),
  ...memorySamples(),
  ...diskSamples(dataDir)
]

const cpuSamples = (): ReadonlyArray<Sample> => {
  const { system, user } = process.cpuUsage()
  return [
    counter("process_cpu_seconds", {
      label: "in",
      values: { user: user / 1e6, system: system / 1e6 }
    }, [
      "CPU time of all threads of the process.",
      harmless
    ]),
    counter("process_uptime_seconds", process.uptime(), [
      "Time since the process began.",
      "Alarming: small values again and again; the process is started anew."
    ]),
    gauge("event_loop_utilization", performance.eventLoopUtilization().utilization, [
      "Share of the time since the start in which the main thread had work.",
      "Alarming: above 0.9."
    ])
  ]
}

const memorySamples = (): ReadonlyArray<Sample> => {
  const { arrayBuffers, external, heapTotal, heapUsed, rss } = process.memoryUsage()
  const values = { resident: rss, heap: heapTotal, heapUsed, external, arrayBuffers }
  return [
    gauge("process_memory_bytes", { label: "kind", values }, [
      "Memory of the process.",
      "Alarming: resident memory that grows for days."
    ])
  ]
}

/** A file may go between the list and the look at it. */
const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

const diskSamples = (dataDir: string): ReadonlyArray<Sample> => {
  const names = readdirSync(dataDir)
  const files = Object.fromEntries(names.map((name) => [name, bytesOf(join(dataDir, name))]))
  const { bavail, bsize } = statfsSync(dataDir)
  return [
    gauge("disk_bytes", { label: "file", values: files }, [
      "Sizes of the files of the store.",
      "Alarming: a log (-wal) of more than some hundred MB."
    ]),
    gauge("disk_free_bytes", bavail * bsize, [
      "Free bytes of the disk that the store lies on.",
      "Alarming: less than the store's own size."
    ])
  ]
}
