/**
 * Describes a user's profile, the sample of what a last-write-wins bucket is for: version 1.
 */
import * as Schema from "effect/Schema"

export const Profile = Schema.Struct({
  name: Schema.NonEmptyString,
  email: Schema.optionalKey(Schema.String),
  theme: Schema.optionalKey(Schema.Literals(["light", "dark"]))
})
export type Profile = typeof Profile.Type
