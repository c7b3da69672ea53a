/**
 * Every shape that leaves a process, and the sample documents.
 */
import "effect/schema/SchemaJITCompiler/enable"

export * as BucketDefinition from "./BucketDefinition.ts"
export * as Cart from "./Cart.ts"
export * as ClientAnswer from "./ClientAnswer.ts"
export * as ClientRequest from "./ClientRequest.ts"
export * as ClusterDescription from "./ClusterDescription.ts"
export * as PeerMessage from "./PeerMessage.ts"
export * as Profile from "./Profile.ts"
