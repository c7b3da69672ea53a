/**
 * Lists the classes of faults, and draws which of them a run has: each class with a chance of one
 * half and from a stream of its own, so that runs have very different mixtures and one more class
 * changes nothing about the others.
 *
 * @see Groce et al., Swarm Testing, ISSTA 2012
 */
import { crashes } from "./faults/Crashes.ts"
import { partitions } from "./faults/Partitions.ts"
import { pauses } from "./faults/Pauses.ts"
import { weather } from "./faults/Weather.ts"
import type { PlannedFault } from "./Plan.ts"
import { stream } from "./SeededRandom.ts"
import type { FaultClass } from "./FaultClass.ts"
import type { PlanFacts } from "./Workload.ts"

export const faultClasses: ReadonlyArray<FaultClass> = [crashes, partitions, weather, pauses]

export const faultClass = (name: string): FaultClass | undefined =>
  faultClasses.find((known) => known.name === name)

export const drawFaults = (
  seed: number,
  facts: PlanFacts,
  classes: ReadonlyArray<FaultClass> = faultClasses
): ReadonlyArray<PlannedFault> =>
  classes.flatMap(({ draw, name }) => {
    const random = stream(seed, `fault ${name}`)
    return random.chance(0.5) ? draw(random, facts).map((drawn) => ({ fault: name, ...drawn })) : []
  }).sort((a, b) => a.atMillis - b.atMillis).map((drawn, id) => ({ id: id + 1, ...drawn }))
