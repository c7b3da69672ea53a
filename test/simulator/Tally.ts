/**
 * Adds up the counts of many runs, to show that a batch put the store to the test.
 */
import type { Summary } from "../../src/testing/simulator/Run.ts"

type Counts = Readonly<Record<string, number>>

/** One count over all runs, and in how many of them it was not zero. */
interface Total {
  sum: number
  runs: number
}

const sections = ["faults", "outcomes", "marks", "messages", "disks"] as const

export class Tally {
  runs = 0
  virtualMillis = 0
  readonly #totals = new Map<string, Map<string, Total>>(
    sections.map((section) => [section, new Map()])
  )

  add(summary: Summary): void {
    this.runs++
    this.virtualMillis += summary.virtualMillis
    for (const section of sections) this.#addTo(this.#totals.get(section)!, summary[section])
  }

  /** The names in a section that were met. */
  names(section: typeof sections[number]): ReadonlySet<string> {
    return new Set(this.#totals.get(section)!.keys())
  }

  /** A table of everything that was counted. */
  table(): ReadonlyArray<string> {
    const hours = (this.virtualMillis / 3_600_000).toFixed(1)
    const rows = [...this.#totals].flatMap(([section, totals]) => [
      "",
      `${section.padEnd(44)}${"in all".padStart(12)}${"seeds".padStart(8)}`,
      ...[...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { runs, sum }]) =>
        `  ${name.padEnd(42)}${String(sum).padStart(12)}${String(runs).padStart(8)}`
      )
    ])
    return [`${this.runs} seeds, ${hours} virtual hours`, ...rows]
  }

  #addTo(totals: Map<string, Total>, counts: Counts): void {
    for (const [name, count] of Object.entries(counts)) {
      if (count === 0) continue
      const total = totals.get(name) ?? { sum: 0, runs: 0 }
      totals.set(name, total)
      total.sum += count
      total.runs++
    }
  }
}
