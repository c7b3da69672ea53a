/**
 * Decides how fast work in the background may go on: at its whole rate while clients' requests are
 * quick, and the slower the closer their 99th percentile comes to a target. It never stops, or
 * replicas that differ would stay so under load.
 *
 * @see DeCandia et al., "Dynamo", SOSP 2007, section 6.5: an admission controller grants background
 *   tasks time by a percentile of the foreground's latency in a trailing window
 */
import { LatencyWindow } from "./LatencyWindow.ts"

export interface BackgroundLimits {
  readonly backgroundTargetMillis: number
  readonly backgroundPercentMin: number
  readonly backgroundWindowMillis: number
}

const percentile = 0.99

/**
 * The share of its rate at which work in the background goes on.
 *
 * **Guarantees** a share from the least to 1, which never grows with the latency: 1 up to half of
 * the target, the least from the target on, and in between as far as the target is away.
 */
export const shareOf = (
  p99Millis: number | undefined,
  { backgroundPercentMin, backgroundTargetMillis }: BackgroundLimits
): number => {
  const least = backgroundPercentMin / 100
  if (p99Millis === undefined) return 1
  return Math.min(Math.max(2 - 2 * p99Millis / backgroundTargetMillis, least), 1)
}

/** One for all work of a node in the background, which shares its rate. */
export class BackgroundBudget {
  readonly #limits: BackgroundLimits
  readonly #window: LatencyWindow
  /** When what was spent so far is made up for. */
  #freeAt = 0
  #pausedMillis = 0

  constructor(limits: BackgroundLimits) {
    this.#limits = limits
    this.#window = new LatencyWindow(limits.backgroundWindowMillis)
  }

  /** A client's request has ended. */
  ended(millis: number, now: number): void {
    this.#window.add(millis, now)
  }

  share(now: number): number {
    return shareOf(this.#window.percentile(percentile, now), this.#limits)
  }

  /** How long to wait after so many bytes were moved, of at most so many a second. */
  pauseMillis(bytes: number, bytesPerSecond: number, now: number): number {
    const millis = 1_000 * bytes / (bytesPerSecond * this.share(now))
    this.#freeAt = Math.max(this.#freeAt, now) + millis
    const pause = this.#freeAt - now
    this.#pausedMillis += millis
    return pause
  }

  /**
   * How long to rest after a step that took this long: not at all at the whole rate, and nearly as
   * long at the least. A step may cost more time of processors than its bytes tell.
   */
  restMillis(tookMillis: number, now: number): number {
    const rest = tookMillis * (1 - this.share(now))
    this.#pausedMillis += rest
    return rest
  }

  /** How long the work had to wait, in all. */
  get pausedMillis(): number {
    return this.#pausedMillis
  }
}
