// Guards what one operation costs: messages, bytes on the wire, calls of SQLite, commits, syncs,
// bytes to disk. None depends on how busy the machine is. A change that is meant is kept by
// EVERWRITE_REWRITE=1, which writes `figures.json` anew.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { type Counts, type DiskCounts, readDiskTrace } from "./Figures.ts"

type Costs = Readonly<Record<string, Counts & DiskCounts>>

const program = fileURLToPath(new URL("./operate.ts", import.meta.url))
const file = fileURLToPath(new URL("./figures.json", import.meta.url))
const hasStrace = spawnSync("strace", ["-V"]).status === 0
const isRewriting = process.env["EVERWRITE_REWRITE"] === "1"

/** SQLite lays pages out as its version likes; another Node has another version. */
const diskBytesBand = 0.02

const measured = (): Costs => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-work-"))
  const trace = join(folder, "trace")
  try {
    const calls = "trace=fdatasync,fsync,write,writev,pwrite64,pwritev"
    const run = spawnSync(
      "strace",
      ["-y", "-e", calls, "-o", trace].concat(
        [process.execPath, "--conditions=everwrite-source", program, folder]
      ),
      { encoding: "utf8" }
    )
    expect(run.status, run.stderr).toBe(0)
    const counts: Readonly<Record<string, Counts>> = JSON.parse(run.stdout)
    const disk = readDiskTrace(readFileSync(trace, "utf8"))
    return Object.fromEntries(
      Object.entries(counts).map(([kind, own]) => [kind, { ...own, ...disk[kind]! }])
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const withoutDiskBytes = (costs: Costs) =>
  Object.entries(costs).map(([kind, counts]) => [kind, { ...counts, diskBytes: 0 }])

// On a machine for continuous integration a missing strace is a failure, not an excuse.
describe.skipIf(!hasStrace && process.env["CI"] !== "true")("an operation, with strace", () => {
  it("costs what it cost before", () => {
    const costs = measured()
    if (isRewriting) writeFileSync(file, `${JSON.stringify(costs, null, 2)}\n`)
    const before: Costs = JSON.parse(readFileSync(file, "utf8"))
    const mend = "EVERWRITE_REWRITE=1 npm test -- test/bench/work writes the figures anew"
    expect(withoutDiskBytes(costs), mend).toEqual(withoutDiskBytes(before))
    for (const [kind, { diskBytes }] of Object.entries(before)) {
      const now = costs[kind]!.diskBytes
      expect(Math.abs(now - diskBytes), `${kind}: ${now} bytes to disk, ${diskBytes} before`)
        .toBeLessThanOrEqual(diskBytes * diskBytesBand)
    }
  })

  it("of the trace counts writes into stores and syncs between two marks alone", () => {
    const trace = [
      "pwrite64(9</x/n1/store.sqlite>, \"before\", 6, 0) = 6",
      "write(2</x/stderr>, \"begin put\\n\", 10) = 10",
      "pwrite64(9</x/n1/store.sqlite-wal>, \"\\0\"..., 4096, 24) = 4096",
      "write(5<anon_inode:[eventfd]>, \"\\1\", 8) = 8",
      "fdatasync(9</x/n1/store.sqlite-wal>) = 0",
      "write(2</x/stderr>, \"end put\\n\", 8) = 8",
      "fsync(9</x/n1/store.sqlite>) = 0"
    ]
    expect(readDiskTrace(trace.join("\n"))).toEqual({ put: { syncs: 1, diskBytes: 4096 } })
  })
})
