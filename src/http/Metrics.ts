/**
 * Writes counts in the text format of Prometheus. They are read when they are asked for: a node
 * that is not watched spends nothing on them.
 *
 * Labels hold words of the program only. A key or a value in a label would show data to every
 * reader of the metrics, and make as many series as there are keys.
 */

export interface Sample {
  /** Without the prefix `everwrite_`. */
  readonly name: string
  /** A counter only grows while the process runs; a gauge goes up and down. */
  readonly type: "counter" | "gauge"
  readonly help: string
  /** One number, or one for each value of a label. */
  readonly value: number | {
    readonly label: string
    readonly values: Readonly<Record<string, number>>
  }
}

const prefix = "everwrite_"

const linesOf = ({ help, name, type, value }: Sample): ReadonlyArray<string> => {
  const full = prefix + name
  const series = typeof value === "number"
    ? [`${full} ${value}`]
    : Object.entries(value.values).map(([word, count]) =>
      `${full}{${value.label}="${word}"} ${count}`
    )
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...series]
}

export const metricsText = (samples: ReadonlyArray<Sample>): string =>
  `${samples.flatMap(linesOf).join("\n")}\n`
