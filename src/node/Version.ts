/**
 * Tells the version of this package, from the one place where it stands.
 */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"

// The source lies one folder less deep than the built file.
const packageFile = new URL(
  import.meta.url.endsWith(".ts") ? "../../package.json" : "../../../package.json",
  import.meta.url
)

const decode = Schema.decodeSync(
  Schema.fromJsonString(Schema.Struct({ version: Schema.String }))
)

export const version = decode(readFileSync(packageFile, "utf8")).version
