/**
 * Everwrite for programs that run nodes: the config file, a node as a layer, and the broker that
 * `everwrite dev` uses.
 */
import "effect/schema/SchemaJITCompiler/enable"

export { type Config, defineConfig, InvalidConfig } from "./node/ConfigFile.ts"
export type { StartFailure } from "./node/Node.ts"
export { type RunningNode, startNode } from "./node/NodePromise.ts"
export { EverwriteNode, type NodeService } from "./node/NodeService.ts"
export { InvalidSetting } from "./node/Setting.ts"
export { type Broker, BrokerUnavailable, startBroker } from "./transport/broker/Broker.ts"
