/**
 * Turns the names and numbers by which a bucket and a request say how many replicas matter into
 * plain counts.
 *
 * The counts are conditions side by side, none raised to fit another: a write is answered when `w`
 * replicas hold it, `pw` of them complete primaries, `dw` of them on disk. A count above `n` is
 * refused, never clamped: a caller that asked for 4 of 3 would otherwise believe to have 4.
 *
 * @see Dynamo, DeCandia et al., SOSP 2007, section 4.5 (R, W and N)
 */
import { invariant } from "../Invariant.ts"
import type { Consistency, Durability, Replicas } from "../model/Settings.ts"

/** The most replicas a bucket may have: with their previous primaries they fill one bit set. */
export const replicasMax = 15

export interface ReadSettings {
  readonly consistency?: Consistency | undefined
  readonly r?: Replicas | undefined
  readonly pr?: Replicas | undefined
}

export interface WriteSettings {
  readonly consistency?: Consistency | undefined
  readonly w?: Replicas | undefined
  readonly pw?: Replicas | undefined
  readonly dw?: Replicas | undefined
}

/** Answers a read needs: `r` in all, `pr` of them from complete primaries. */
export interface ReadNeeds {
  readonly _tag: "ReadNeeds"
  readonly r: number
  readonly pr: number
}

/** Acknowledgements a write needs: `w` in all, `pw` from complete primaries, `dw` on disk. */
export interface WriteNeeds {
  readonly _tag: "WriteNeeds"
  readonly w: number
  readonly pw: number
  readonly dw: number
}

/** A setting that no `n` replicas can meet. The caller's mistake; nothing was sent. */
export interface Unmeetable {
  readonly _tag: "Unmeetable"
  readonly setting: "r" | "pr" | "w" | "pw" | "dw"
  readonly value: Replicas
  /** The accepted values, in words. */
  readonly expected: string
}

/**
 * The answers that a read needs.
 *
 * **Guarantees** for each setting on its own: the request's number wins over the request's
 * consistency, that over the bucket's number, that over the bucket's consistency, that over
 * `balanced`. The same holds for {@link resolveWrite}.
 */
export const resolveRead = (
  options: { readonly n: number; readonly bucket: ReadSettings; readonly request: ReadSettings }
): ReadNeeds | Unmeetable => {
  const { bucket, n, request } = options
  const defaults: ReadSettings = request.consistency === undefined ? bucket : {}
  const level = request.consistency ?? bucket.consistency ?? "balanced"
  const r = count({ setting: "r", n, value: request.r ?? defaults.r ?? replicasAt(level) })
  if (typeof r !== "number") return r
  const pr = count({ setting: "pr", n, value: request.pr ?? defaults.pr ?? primariesAt(level) })
  return typeof pr === "number" ? { _tag: "ReadNeeds", r, pr } : pr
}

/**
 * The acknowledgements that a write needs.
 *
 * **Guarantees** where neither bucket nor request names `dw`, durability asks for no replica beyond
 * `w`, so that `w: 1` succeeds on a node that is cut off. A consistency named by the request sets
 * aside the bucket's `dw` too, or `available` would not be.
 */
export const resolveWrite = (
  options: {
    readonly n: number
    readonly durability: Durability
    readonly bucket: WriteSettings
    readonly request: WriteSettings
  }
): WriteNeeds | Unmeetable => {
  const { bucket, durability, n, request } = options
  const defaults: WriteSettings = request.consistency === undefined ? bucket : {}
  const level = request.consistency ?? bucket.consistency ?? "balanced"
  const w = count({ setting: "w", n, value: request.w ?? defaults.w ?? replicasAt(level) })
  if (typeof w !== "number") return w
  const pw = count({ setting: "pw", n, value: request.pw ?? defaults.pw ?? primariesAt(level) })
  if (typeof pw !== "number") return pw
  const value = request.dw ?? defaults.dw ?? durableBy(durability, { n, w })
  const dw = count({ setting: "dw", n, value })
  return typeof dw === "number" ? { _tag: "WriteNeeds", w, pw, dw } : dw
}

const majority = (n: number): number => Math.floor(n / 2) + 1

const replicasAt = (level: Consistency): Replicas => level === "available" ? "one" : "quorum"

const primariesAt = (level: Consistency): Replicas => level === "strict" ? "quorum" : 0

const durableBy = (
  durability: Durability,
  { n, w }: { readonly n: number; readonly w: number }
): number =>
  durability === "synced" ? Math.min(majority(n), w) : durability === "one-synced" ? 1 : 0

const count = (
  options: {
    readonly setting: Unmeetable["setting"]
    readonly n: number
    readonly value: Replicas
  }
): number | Unmeetable => {
  const { n, setting, value } = options
  invariant(Number.isInteger(n) && n >= 1 && n <= replicasMax, "a bucket has 1 to 15 replicas")
  if (value === "one") return 1
  if (value === "quorum") return majority(n)
  if (value === "all") return n
  const least = setting === "r" || setting === "w" ? 1 : 0
  return Number.isInteger(value) && value >= least && value <= n
    ? value
    : {
      _tag: "Unmeetable",
      setting,
      value,
      expected: `one, quorum, all, or an integer from ${least} to ${n}`
    }
}
