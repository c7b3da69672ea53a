/**
 * Describes a shopping cart as the sample plug-in `plugins/shopping-cart` keeps it: version 1.
 *
 * Every addition to the cart has a name of its own, so that a merge can tell an addition that was
 * removed from one that it has not heard of. (The cart of the Dynamo paper could not, and removed
 * items came back: section 4.4.)
 */
import * as Schema from "effect/Schema"

/** Pieces of one item, by the name of the addition that brought them; may be negative. */
export const Additions = Schema.Record(Schema.String, Schema.Int)

export const Cart = Schema.Struct({
  /** By item. */
  items: Schema.Record(Schema.String, Additions),
  /** Names of additions that were taken back. */
  removed: Schema.Array(Schema.String)
})
export type Cart = typeof Cart.Type
