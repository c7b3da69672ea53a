/**
 * Shows a node's counts in the text format of Prometheus, and to any exporter of Effect's metrics.
 * Counts are read when they are asked for: a node that is not watched spends nothing on them.
 *
 * Labels hold words of the program and names of declared buckets only. A key or a value in a label
 * would show data to every reader of the metrics, and make as many series as there are keys.
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"

export interface Sample {
  /** Without the prefix `everwrite_`. */
  readonly name: string
  /** A counter only grows while the process runs; a gauge goes up and down. */
  readonly type: "counter" | "gauge"
  /** What is counted, in a sentence. */
  readonly help: string
  /** When an operator is to act on the number, in a sentence. */
  readonly alarm: string
  /** Besides the label of the values. */
  readonly labels?: Readonly<Record<string, string>>
  /** One number, or one for each value of a label. */
  readonly value: number | {
    readonly label: string
    readonly values: Readonly<Record<string, number>>
  }
}

export const prefix = "everwrite_"

/** One number of a sample, with its labels. */
interface Series {
  readonly attributes: Readonly<Record<string, string>>
  readonly value: number
}

const seriesOf = ({ labels, value }: Sample): ReadonlyArray<Series> =>
  typeof value === "number"
    ? [{ attributes: { ...labels }, value }]
    : Object.entries(value.values).map(([word, count]) => ({
      attributes: { ...labels, [value.label]: word },
      value: count
    }))

export class NodeMetrics {
  /** Holds the registry of this node: several nodes of one process have one each. */
  readonly context: Context.Context<never>
  readonly #sources: Array<() => ReadonlyArray<Sample>> = []
  #registered: ReadonlyArray<Metric.Registration> = []

  constructor() {
    this.context = Context.make(Metric.MetricRegistry, new Map())
  }

  /** Adds counts, which are read from now on whenever metrics are. */
  add(samples: () => ReadonlyArray<Sample>): void {
    this.#sources.push(samples)
  }

  /** Brings the registry to the present numbers. A label that is gone takes its series along. */
  refresh(): void {
    for (const series of this.#registered) series.remove()
    this.#registered = this.#sources.flatMap((source) => source()).flatMap((sample) =>
      seriesOf(sample).map((series) => this.#register(sample, series))
    )
  }

  /** The present numbers, as text for Prometheus. */
  text(): string {
    this.refresh()
    return PrometheusMetrics.formatUnsafe(this.context)
  }

  #register({ alarm, help, name, type }: Sample, { attributes, value }: Series) {
    const options = { description: `${help} ${alarm}`, attributes }
    const hooks = { update: () => {}, modify: () => {} }
    return type === "counter"
      ? Metric.registerUnsafe(Metric.counter(prefix + name, options), this.context, {
        ...hooks,
        get: () => ({ count: value, incremental: true })
      })
      : Metric.registerUnsafe(Metric.gauge(prefix + name, options), this.context, {
        ...hooks,
        get: () => ({ value })
      })
  }
}
