// Compiles schemas to plain functions, as every entry point of the product does.
import "effect/schema/SchemaJITCompiler/enable"

// Properties draw anew at every run, unless a seed is given: then a failure comes again.
const seed = process.env["EVERWRITE_SEED"]
if (seed !== undefined) {
  const { configureGlobal } = await import("fast-check")
  configureGlobal({ seed: Number(seed) })
}
