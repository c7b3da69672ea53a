/**
 * Describes a user's profile, the sample value of a last-write-wins bucket: version 1.
 */
import * as Schema from "effect/Schema"

export const Profile = Schema.Struct({
  name: Schema.NonEmptyString,
  email: Schema.optionalKey(Schema.String),
  theme: Schema.optionalKey(Schema.Literals(["light", "dark"]))
})
export type Profile = typeof Profile.Type
