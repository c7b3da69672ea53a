/**
 * Measures the requests of a node: how long each took, by bucket, operation and outcome, and how
 * large its answer was. The numbers are histograms of Effect's metrics in the node's registry.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type {
  Observation,
  RequestEnd,
  RequestNames,
  RequestObserver
} from "../coordinator/RequestObserver.ts"
import { prefix } from "../http/Metrics.ts"

export interface RequestMetricsOptions {
  readonly context: Context.Context<never>
  /** Names that requests may be counted under: a client can send any other. */
  readonly buckets: ReadonlySet<string>
  /** Beyond so many combinations of labels, an operation is counted as `other`. */
  readonly seriesMax: number
}

/** Seconds, from a read of the own memory to the longest timeout. */
const secondsBoundaries = Metric.boundariesFromIterable([
  0.000_5,
  0.001,
  0.002,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10
])
const charactersBoundaries = Metric.boundariesFromIterable([
  64,
  256,
  1_024,
  4_096,
  16_384,
  65_536,
  262_144,
  1_048_576,
  4_194_304,
  16_777_216
])

interface Labels {
  readonly bucket: string
  readonly operation: string
  readonly origin: string
  readonly outcome: string
}

interface Series {
  readonly labels: Labels
  readonly seconds: Metric.Histogram<number>
  readonly characters: Metric.Histogram<number>
}

const secondsHelp = "Time from the arrival of a request to its answer, where a node took it. "
  + "Alarming: a rising share of outcomes other than ok, or a 99th percentile beyond 0.5 s."
const charactersHelp = "Characters of the values in an answer. "
  + "Alarming: answers that come near to the limits of documents."

/** Outcomes of requests whose operation is no word of the bucket. */
const unnamed: ReadonlySet<string> = new Set([
  "UnknownOperation",
  "UnknownBucket",
  "InvalidRequest"
])
const other = "other"

export class RequestMetrics implements RequestObserver {
  readonly #options: RequestMetricsOptions
  readonly #series = new Map<string, Series>()
  /** Of the last request: most are like the one before. */
  #last: Series | undefined

  constructor(options: RequestMetricsOptions) {
    this.#options = options
  }

  begin(names: RequestNames): Observation {
    return { ended: (end) => this.#ended(names, end) }
  }

  #ended({ bucket, operation, origin }: RequestNames, end: RequestEnd): void {
    const { buckets, context } = this.#options
    const known = buckets.has(bucket) ? bucket : other
    const named = known === other || unnamed.has(end.outcome) ? other : operation
    const labels = { bucket: known, operation: named, origin, outcome: end.outcome }
    const { characters, seconds } = this.#seriesOf(labels)
    seconds.updateUnsafe(end.millis / 1_000, context)
    if (end.outcome === "ok") characters.updateUnsafe(end.characters, context)
  }

  #seriesOf(labels: Labels): Series {
    const last = this.#last
    return last !== undefined && isSame(last.labels, labels) ? last : this.#find(labels)
  }

  #find(labels: Labels): Series {
    const key = `${labels.bucket} ${labels.operation} ${labels.origin} ${labels.outcome}`
    const found = this.#series.get(key)
    if (found !== undefined) return this.#last = found
    const isFull = this.#series.size >= this.#options.seriesMax
    if (isFull && labels.operation !== other) return this.#find({ ...labels, operation: other })
    const made = seriesWith(labels, { ...labels })
    this.#series.set(key, made)
    return made
  }
}

const isSame = (left: Labels, right: Labels): boolean =>
  left.operation === right.operation && left.bucket === right.bucket
  && left.origin === right.origin && left.outcome === right.outcome

const seriesWith = (labels: Labels, attributes: Metric.Metric.AttributeSet): Series => ({
  labels,
  seconds: Metric.histogram(`${prefix}request_seconds`, {
    description: secondsHelp,
    attributes,
    boundaries: secondsBoundaries
  }),
  characters: Metric.histogram(`${prefix}answer_characters`, {
    description: charactersHelp,
    attributes,
    boundaries: charactersBoundaries
  })
})
