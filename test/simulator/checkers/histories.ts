/**
 * Writes down histories by hand for the tests of checkers: operations on one document, each with a
 * dot of its own, and the last reads.
 */
import type {
  Applied,
  Checker,
  Event,
  FinalDocument,
  Record,
  Shown
} from "../../../src/testing/simulator/History.ts"
import type { PlannedAction } from "../../../src/testing/simulator/Plan.ts"
import type { SimBucketName } from "../../../src/testing/simulator/SimBuckets.ts"

const key = "k"
const nodes = ["n1", "n2", "n3"]

/** The dot of an operation: its own number, by an actor of its own. */
const dotOf = (id: number) => ({ actor: `n1.000000000life01.${id.toString(36)}`, counter: id })

/** A read as its client was shown it: a value, and the operations that the context has seen. */
export const shown = (value: unknown, ids: ReadonlyArray<number>, stamp = 0): Shown => ({
  value,
  vector: new Map(ids.map((id) => [dotOf(id).actor, dotOf(id).counter])),
  stamp
})

export interface HistoryStep extends Partial<Omit<Event, "operation">> {
  readonly id: number
  readonly action: PlannedAction
  readonly session?: number
  readonly available?: boolean
  readonly strict?: boolean
  /** Of the value it wrote. */
  readonly stamp?: number
  /** Whether storage ever had it; unless said otherwise where it is not refused. */
  readonly stored?: boolean
}

const eventOf = (bucket: SimBucketName, step: HistoryStep): Event => {
  const { action, available = false, id, session = 1, strict = false } = step
  return {
    operation: {
      id,
      atMillis: 10 * id,
      session,
      node: "n1",
      bucket,
      key,
      consistency: available ? "available" : strict ? "strict" : "balanced",
      action
    },
    invokedAt: step.invokedAt ?? 10 * id,
    endedAt: step.endedAt ?? 10 * id + 5,
    outcome: step.outcome ?? "ok",
    error: step.error,
    saw: step.saw,
    result: step.result,
    sendings: step.sendings ?? 1,
    timesMax: step.timesMax ?? 1,
    isNamed: step.isNamed ?? false,
    answeredBy: step.answeredBy,
    ...(step.unwritten === undefined ? {} : { unwritten: step.unwritten }),
    ...(step.lost === undefined ? {} : { lost: step.lost }),
    ...step.clockErrorMillis === undefined ? {} : { clockErrorMillis: step.clockErrorMillis }
  }
}

const appliedOf = (steps: ReadonlyArray<HistoryStep>): ReadonlyMap<number, Applied> =>
  new Map(
    steps.filter(({ action, outcome, stored = outcome !== "fail" }) =>
      stored && action.kind !== "read"
    ).map((
      { id, stamp }
    ) => [id, { dots: [dotOf(id)], stamps: stamp === undefined ? [] : [stamp] }])
  )

export const finalOf = (
  bucket: SimBucketName,
  final: Shown,
  changes: Partial<FinalDocument> = {}
): FinalDocument => ({
  bucket,
  key,
  shown: new Map(nodes.map((node) => [node, final])),
  digests: new Map(nodes.map((node) => [node, "equal"])),
  primaries: nodes,
  sizes: new Map(),
  ...changes
})

/** A record in which everything is in order, but for `changes`. */
export const recordOf = (changes: Partial<Record> = {}): Record => ({
  events: [],
  final: [],
  guarded: new Set(),
  applied: new Map(),
  made: new Map(),
  makers: new Map(),
  copies: new Map(),
  reused: [],
  lapses: [],
  damaged: new Set(),
  losses: [],
  twinned: new Set(),
  incarnations: [],
  unavailable: [],
  unread: { documents: [], isScrubbed: true, idleWrites: 0, idleRepairs: 0, idleDifferences: 0 },
  beliefs: [],
  idleWrites: 0,
  ...changes
})

/** The history of one document. */
export const history = (
  bucket: SimBucketName,
  steps: ReadonlyArray<HistoryStep>,
  final: Shown,
  changes: Partial<Record> = {}
): Record =>
  recordOf({
    events: steps.map((step) => eventOf(bucket, step)),
    applied: appliedOf(steps),
    final: [finalOf(bucket, final)],
    ...changes
  })

/** The violations that a checker finds, each problem once. */
export const problems = (checker: Checker, record: Record): ReadonlyArray<string> => [
  ...new Set(checker.check(record).map(({ problem }) => problem.replace(/at n\d, /u, "")))
]
