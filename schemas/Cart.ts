/**
 * Describes a shopping cart as the sample plug-in `plugins/shoppingCart` keeps it: version 1.
 *
 * Every addition to the cart has a name of its own, so that a merge can tell an addition that was
 * taken back from one that it has not heard of. (The cart of the Dynamo paper could not, and
 * removed items came back: section 4.4.)
 */
import * as Schema from "effect/Schema"

/**
 * By the name of each addition, the pieces it brought (below zero, took out), or null once it was
 * taken back.
 */
export const Additions = Schema.Record(Schema.String, Schema.NullOr(Schema.Int))

export const Cart = Schema.Struct({
  /** By item. */
  items: Schema.Record(Schema.String, Additions)
})
export type Cart = typeof Cart.Type
