/**
 * Tells the version of this package, from the one place where it stands.
 */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"

const decode = Schema.decodeSync(
  Schema.fromJsonString(Schema.Struct({ version: Schema.String }))
)

const here = import.meta.url

/** The source lies one folder less deep than the built file; a bundle lies anywhere. */
const packagePath = here.endsWith("/Version.ts")
  ? "../../package.json"
  : here.endsWith("/Version.js")
  ? "../../../package.json"
  : undefined

/** 0.0.0 in a bundle, which has no file of this package beside it. */
export const version = packagePath === undefined
  ? "0.0.0"
  : decode(readFileSync(new URL(packagePath, here), "utf8")).version
