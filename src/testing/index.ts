/**
 * Opens `everwrite/testing`: what applications and plug-ins test themselves with.
 */
import "effect/schema/SchemaJITCompiler/enable"

export { checkBucket } from "./laws/CheckBucket.ts"
export { type CheckOptions, LawUndecided, LawViolation, type Report } from "./laws/Law.ts"
