/**
 * Tells why a view could not be made of stored values, by the application's merge among others.
 */
import { Undecodable } from "../model/StoreError.ts"
import { SchemaMismatch } from "./ValueCodec.ts"

/** The error for the exception: a value that misfits its schema, with its place, or another. */
export const undecodable = (bucket: string, thrown: unknown): Undecodable => {
  const { path, problem } = thrown instanceof SchemaMismatch
    ? thrown
    : { path: "$", problem: `its merge fails: ${String(thrown)}` }
  return new Undecodable({ bucket, path, problem })
}
