// Compiles schemas to plain functions, as every entry point of the product does.
import "effect/schema/SchemaJITCompiler/enable"
