/**
 * Generates histories, and checks a specification on them.
 */
import * as fc from "fast-check"
import type { Strategy } from "../../src/core/strategy/Strategy.ts"
import {
  type ClusterStep,
  noStepCounts,
  type Request,
  type Rules,
  same,
  SpecifiedCluster,
  type StepCounts
} from "./SpecifiedCluster.ts"
import type { Happened, Mask } from "./Happened.ts"

/** The subject of a specification. */
export interface Specified<Change> extends Rules<Change> {
  readonly strategy: Strategy
  readonly requests: fc.Arbitrary<Request<Change>>
  /** Canonical JSON of the view for a reader that has seen the operations in `seen`. */
  readonly view: (history: ReadonlyArray<Happened<Change>>, seen: Mask) => ReadonlyArray<string>
}

const replica = fc.nat({ max: 2 })
const place = fc.nat({ max: 999 })

const stepsMax = 36

const steps = <Change>(
  requests: fc.Arbitrary<Request<Change>>
): fc.Arbitrary<ReadonlyArray<ClusterStep<Change>>> =>
  fc.array(
    fc.record({
      act: fc.constantFrom("operate", "operate", "operate", "join", "deliver", "operate", "join")
        .chain((act) => fc.nat(40).map((n) => (n === 40 ? "forget" : act))),
      at: replica,
      from: place,
      read: fc.array(place, { maxLength: 2 }),
      clock: fc.nat({ max: 3 }),
      request: requests
    }),
    { maxLength: stepsMax, size: "max" }
  )

const agree = <Change>(
  cluster: SpecifiedCluster<Change>,
  specified: Specified<Change>,
  { seen, values }: ReturnType<SpecifiedCluster<Change>["read"]>
): void => same(values.join(), specified.view(cluster.history, seen).join(), "what a reader gets")

/**
 * Checks the specification after every step at the replica that changed, then for readers of two
 * replicas, then when all have met. Prints the seed and the smallest history where they differ.
 */
export const checkSpecification = <Change>(
  specified: Specified<Change>,
  histories: number
): StepCounts => {
  const counts = noStepCounts()
  fc.assert(
    fc.property(steps(specified.requests), (history) => {
      const cluster = new SpecifiedCluster<Change>(specified.strategy, specified, counts)
      for (const step of history) {
        cluster.step(step)
        agree(cluster, specified, cluster.read(step.at))
      }
      for (const at of [0, 1, 2]) agree(cluster, specified, cluster.readBoth(at, (at + 1) % 3))
      for (const from of [1, 2]) cluster.join({ at: 0, from })
      for (const at of [1, 2]) cluster.join({ at, from: 0 })
      for (const at of [0, 1, 2]) agree(cluster, specified, cluster.read(at))
    }),
    { numRuns: histories }
  )
  return counts
}
