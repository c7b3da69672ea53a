/**
 * Prints the figures of scenarios as a table, a line for each.
 */
import type { Calls } from "./load.ts"
import type { Settled } from "./replicas.ts"
import type { Figures } from "./run.ts"
import { type Columns, tableOf } from "./table.ts"

const shareOf = ({ acknowledged, all }: Calls): string =>
  all === 0 ? "-" : (100 * acknowledged / all).toFixed(2)

const settledText = ({ seconds, unequal }: Settled): string =>
  unequal.length === 0 ? seconds.toFixed(1) : `${unequal.length} not`

const seconds = (millis: number): string => (millis / 1_000).toFixed(1)

const middle = (times: ReadonlyArray<number>): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0

/** The longest. */
const filledText = (times: ReadonlyArray<number | undefined>): string => {
  if (times.length === 0) return "-"
  const known = times.filter((time) => time !== undefined)
  const late = times.length - known.length
  return late > 0 ? `${late} not` : Math.max(...known).toFixed(1)
}

const columns: Columns<Figures> = [
  ["scenario", ({ name }) => name, "left"],
  [
    "faults",
    ({ faults }) => [...faults].map(([what, count]) => `${count} ${what}`).join(", "),
    "left"
  ],
  ["calls", ({ calls }) => String(calls["w: 1"].all + calls.default.all + calls.get.all)],
  ["w: 1 %", ({ calls }) => shareOf(calls["w: 1"])],
  ["put %", ({ calls }) => shareOf(calls.default)],
  ["get %", ({ calls }) => shareOf(calls.get)],
  [
    "longest s",
    ({ calls }) =>
      seconds(Math.max(...Object.values(calls).map(({ longestMillis }) => longestMillis)))
  ],
  ["in doubt", ({ calls }) => String(calls["w: 1"].unknown + calls.default.unknown)],
  ["missed", ({ missedByReads }) => String(missedByReads)],
  ["lost", ({ audit }) => String(audit.lost.default)],
  ["lost w: 1", ({ audit }) => String(audit.lost["w: 1"])],
  ["lost of all", ({ audit }) => String(audit.lostOfAll)],
  ["wrong", ({ audit }) => String(audit.wrong.length)],
  ["unread", ({ audit }) => String(audit.unread.length)],
  ["filled s", ({ fillTimes }) => filledText(fillTimes)],
  ["equal s", ({ withoutReads }) => settledText(withoutReads)],
  ["read s", ({ afterReads }) => settledText(afterReads)],
  ["start s", ({ startTimes }) => startTimes.length === 0 ? "-" : seconds(middle(startTimes))],
  ["most s", ({ startTimes }) => startTimes.length === 0 ? "-" : seconds(Math.max(...startTimes))]
]

export const reportOf = (rows: ReadonlyArray<Figures>): string => tableOf(columns, rows)
