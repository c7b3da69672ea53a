/**
 * Proves that an acknowledgement comes after a sync, which no killed process can show: the page
 * cache outlives it. The system calls of a real writer are traced and read in their order.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { readSyncTrace, type SyncReport } from "./SyncTrace.ts"

const writer = fileURLToPath(new URL("./syncWriter.ts", import.meta.url))
const hasStrace = spawnSync("strace", ["-V"]).status === 0

const traceWriter = (mode: "LOG" | "TABLES" | "NORMAL"): SyncReport => {
  const parent = mkdtempSync(join(tmpdir(), "everwrite-syncs-"))
  const trace = join(parent, "trace")
  try {
    const calls = "trace=fdatasync,fsync,write,writev,pwrite64"
    const run = spawnSync(
      "strace",
      ["-f", "-y", "-e", calls, "-o", trace].concat(
        [process.execPath, "--conditions=everwrite-source", writer, join(parent, "data"), mode]
      ),
      { encoding: "utf8" }
    )
    expect(run.stderr).toBe("")
    expect(run.status).toBe(0)
    return readSyncTrace(readFileSync(trace, "utf8"), mode === "LOG")
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

// On a machine for continuous integration a missing strace is a failure, not an excuse.
describe.skipIf(!hasStrace && process.env["CI"] !== "true")("with strace", () => {
  it("every acknowledged group was synced before it was acknowledged", () => {
    expect(traceWriter("LOG")).toEqual({ acknowledged: 50, unsynced: 0 })
  })

  it("without a log, too, every acknowledged group was synced before", () => {
    expect(traceWriter("TABLES")).toEqual({ acknowledged: 50, unsynced: 0 })
  })

  it("the trace tells: with synchronous=NORMAL groups are acknowledged unsynced", () => {
    const { acknowledged, unsynced } = traceWriter("NORMAL")
    expect(acknowledged).toBe(50)
    expect(unsynced).toBeGreaterThan(45)
  })
})
