/**
 * Lists the classes of faults, and draws which of them a run has: each class with a chance of one
 * half and from a stream of its own, so that runs have very different mixtures and one more class
 * changes nothing about the others.
 *
 * @see Groce et al., Swarm Testing, ISSTA 2012
 */
import { brokerFaults } from "./faults/Broker.ts"
import { clockFaults } from "./faults/Clocks.ts"
import { damageFaults } from "./faults/Damage.ts"
import { diskFaults } from "./faults/Disks.ts"
import { partitionFaults } from "./faults/Partitions.ts"
import { processFaults } from "./faults/Processes.ts"
import { strangers } from "./faults/ForeignTraffic.ts"
import { twins } from "./faults/DuplicateProcess.ts"
import { networkFaults } from "./faults/NetworkFaults.ts"
import type { FaultClass } from "./FaultClass.ts"
import type { PlannedFault } from "./Plan.ts"
import { stream } from "./SeededRandom.ts"
import type { PlanFacts } from "./Workload.ts"

export const faultClasses: ReadonlyArray<FaultClass> = [
  ...networkFaults,
  ...partitionFaults,
  ...brokerFaults,
  strangers,
  ...processFaults,
  twins,
  ...diskFaults,
  ...damageFaults,
  ...clockFaults
]

export const faultClass = (name: string): FaultClass | undefined =>
  faultClasses.find((known) => known.name === name)

export const drawFaults = (
  seed: number,
  facts: PlanFacts,
  classes: ReadonlyArray<FaultClass> = faultClasses
): ReadonlyArray<PlannedFault> => {
  const victim = stream(seed, "victim").pick(facts.nodes)
  // A clock that is off hides stamps that are wrong for another reason.
  const clocksAreRight = stream(seed, "right clocks").chance(0.25)
  const drawn = classes.filter((drawable) => !clocksAreRight || !clockFaults.includes(drawable))
  return drawn.flatMap(({ draw, name }) => {
    const random = stream(seed, `fault ${name}`)
    if (!random.chance(0.5)) return []
    return draw(random, { ...facts, victim }).map((fault) => ({ fault: name, ...fault }))
  }).sort((a, b) => a.atMillis - b.atMillis).map((fault, id) => ({ id: id + 1, ...fault }))
}
