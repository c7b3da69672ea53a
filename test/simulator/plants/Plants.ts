/**
 * Lists the planted bugs: each is found by some checker under some seed, or the checkers are blind.
 */
import { antiEntropyPlants } from "./antiEntropy.ts"
import { causalityPlants } from "./causality.ts"
import { completenessPlants } from "./completeness.ts"
import { contextPlants } from "./contexts.ts"
import { clientPlants } from "./clients.ts"
import { counterPlants } from "./counters.ts"
import { deltaPlants } from "./deltas.ts"
import { edgePlants } from "./edges.ts"
import { elementPlants } from "./elements.ts"
import { foundPlants } from "./found.ts"
import { growthPlants } from "./growth.ts"
import { handoffPlants } from "./handoff.ts"
import { membershipPlants } from "./membership.ts"
import { operationPlants } from "./operations.ts"
import type { Plant } from "./Plant.ts"
import { requestPlants } from "./requests.ts"
import { storagePlants } from "./storage.ts"

export const plants: ReadonlyArray<Plant> = [
  ...causalityPlants,
  ...counterPlants,
  ...requestPlants,
  ...storagePlants,
  ...completenessPlants,
  ...contextPlants,
  ...edgePlants,
  ...operationPlants,
  ...foundPlants,
  ...clientPlants,
  ...growthPlants,
  ...elementPlants,
  ...deltaPlants,
  ...antiEntropyPlants,
  ...membershipPlants,
  ...handoffPlants
]
