/**
 * Configures nodes with a bucket of each kind: the last write wins, a merge function, a CRDT.
 *
 *     npm run -s everwrite -- dev --config examples/everwrite.config.ts
 */
import * as Schema from "effect/Schema"
import { Bucket, Crdt, Key } from "everwrite"
import { Profile } from "everwrite/schemas"
import { defineConfig } from "everwrite/server"

/** The last write wins. Users of one tenant lie together, in the order of their ids. */
export const Users = Bucket.lww("users", {
  key: Key.make({ partition: { tenant: Schema.String }, sort: { id: Schema.String } }),
  value: Profile.Profile
})

const fuller = (left: string, right: string): string =>
  left.length === right.length
    ? (left < right ? right : left)
    : left.length < right.length
    ? right
    : left

/** Texts by section. Of two concurrent versions of one section, the fuller one stays. */
export const Notes = Bucket.merge("notes", {
  key: Key.text,
  value: Schema.Record(Schema.String, Schema.String),
  merge: (left, right) => {
    const sections = new Map(Object.entries(left))
    for (const [section, text] of Object.entries(right)) {
      sections.set(section, fuller(sections.get(section) ?? "", text))
    }
    return Object.fromEntries(sections)
  }
})

/** Each field reconciles itself: quantities add up, the last coupon stays. */
export const Carts = Bucket.crdt("carts", {
  key: Key.text,
  type: Crdt.document({
    lines: Crdt.map(Crdt.counter),
    coupon: Crdt.register(Schema.String)
  })
})

export default defineConfig({ buckets: [Users, Notes, Carts] })
