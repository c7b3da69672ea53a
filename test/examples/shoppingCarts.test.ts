/**
 * Runs the shopping carts of `examples/` on both brokers: what merges must keep every addition, and
 * the bucket where the last write wins must be seen to lose some.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { describeWithNats, startNatsServer } from "../tooling/natsServer.ts"
import { run } from "./programs.ts"

const line = "npx node --conditions=everwrite-source examples/shopping-carts.ts"
const timeout = 300_000

interface Row {
  readonly acknowledged: number
  readonly kept: number
  readonly lost: number
  readonly resurrected: number
  readonly invented: number
}

/** The table that it prints, by bucket. */
const rowsOf = (stdout: string): ReadonlyMap<string, Row> =>
  new Map(
    [...stdout.matchAll(/^([a-z]+(?: [a-z]+)*) +((?:\d+ +){5})[\d.]+ s +\d+$/gimu)].map(
      ([, bucket = "", counts = ""]) => {
        const [acknowledged = 0, kept = 0, lost = 0, resurrected = 0, invented = 0] = counts
          .trim().split(/ +/u).map(Number)
        return [bucket, { acknowledged, kept, lost, resurrected, invented }]
      }
    )
  )

/** Replays until the last write has won at the price of others: of few baskets, by chance, none. */
const replayUntilLost = async (options: Parameters<typeof replay>[0]) => {
  let replayed = await replay(options)
  for (let i = 0; i < 3 && replayed.lastWriteWins?.lost === 0; i++) replayed = await replay(options)
  return replayed
}

/** Replays a file of baskets, or the sample. */
const replay = async (options: { readonly file?: string; readonly nats?: string }) => {
  const { file, nats } = options
  const env = nats === undefined ? {} : { NATS_URL: nats }
  const { code, stderr, stdout } = await run(`${line} ${file ?? ""}`, { env })
  expect(code, stdout + stderr).toBe(0)
  const rows = rowsOf(stdout)
  const [last, ...others] = ["last write wins", "application merge", "CRDT document"]
    .map((bucket) => rows.get(bucket))
  expect(last?.acknowledged).toBeGreaterThan(0)
  for (const row of others) {
    expect(row).toMatchObject({ lost: 0, resurrected: 0, invented: 0 })
    expect(row?.acknowledged).toBeGreaterThan(0)
  }
  return { stdout, lastWriteWins: last }
}

const loses = "the last write wins at the price of others; merge and CRDT lose and invent nothing"

describe("with the sample on the embedded broker", () => {
  it(loses, async () => {
    const { lastWriteWins, stdout } = await replayUntilLost({})
    expect(stdout).toMatch(/^24 customers, three nodes, broker nats:\S+ \(embedded\)$/mu)
    expect(lastWriteWins?.lost).toBeGreaterThan(0)
  }, timeout)
})

describeWithNats("with the sample on a real nats-server", () => {
  it(loses, async () => {
    const server = await startNatsServer()
    try {
      const { lastWriteWins, stdout } = await replayUntilLost({ nats: server.url })
      expect(stdout).toContain(`broker ${server.url}\n`)
      expect(lastWriteWins?.lost).toBeGreaterThan(0)
    } finally {
      await server.stop()
    }
  }, timeout)
})

const data = join(process.env["EVERWRITE_DATA"] ?? "", "groceries.csv")
const isThere = process.env["EVERWRITE_DATA"] !== undefined && existsSync(data)

describe.skipIf(!isThere)("with 300 real baskets (groceries.csv in EVERWRITE_DATA)", () => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-baskets-"))
  afterAll(() => rmSync(folder, { recursive: true }))

  it(loses, async () => {
    const baskets = readFileSync(data, "utf8").split("\n").slice(0, 300).join("\n")
    const file = join(folder, "baskets.csv")
    writeFileSync(file, baskets)
    const { lastWriteWins, stdout } = await replay({ file })
    expect(stdout).toMatch(/^300 customers, /u)
    expect(lastWriteWins?.lost).toBeGreaterThan(0)
  }, timeout)
})
