/**
 * Opens `everwrite/testing`: the law kit and the simulator for applications and plug-ins.
 */
import "effect/schema/SchemaJITCompiler/enable"

export { startTestCluster, type TestCluster, type TestNode } from "../node/TestCluster.ts"
export { checkBucket } from "./laws/CheckBucket.ts"
export { type CheckOptions, LawUndecided, LawViolation, type Report } from "./laws/Law.ts"
export type { FaultKind } from "./simulate/FaultKinds.ts"
export type { Generated, Operation } from "./simulate/Operation.ts"
export {
  type Done,
  InvalidSimulation,
  type SimulateOptions,
  SimulationFailed,
  type SimulationProgress,
  type SimulationReport
} from "./simulate/Options.ts"
export { simulate } from "./simulate/Simulate.ts"
export type { SeededRandom } from "./simulator/SeededRandom.ts"
export { checkBucketPromise, simulatePromise } from "./TestingPromises.ts"
