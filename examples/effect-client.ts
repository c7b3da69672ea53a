/**
 * Reads and writes as an Effect program: each error has a type, and one user's session never sees
 * its reads go back.
 *
 *     NATS_URL=nats://... npx node --conditions=everwrite-source examples/effect-client.ts
 *
 * It needs a cluster with the sample buckets: `npm start` runs one, and says where its NATS is.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Bucket, ClusterName, Crdt, Everwrite, Key, layerNats } from "everwrite/effect"

/** As the nodes declare them: otherwise each request would be refused as a `BucketMismatch`. */
const Carts = Bucket.crdt("carts", {
  key: Key.text,
  type: Crdt.document({ lines: Crdt.map(Crdt.counter), coupon: Crdt.register(Schema.String) })
})
const Notes = Bucket.siblings("notes", { key: Key.text, value: Schema.String })

/** Adds to a cart, in one round trip, and reads it back: a session sees its own writes. */
const shop = Everwrite.inSession(Effect.gen(function*() {
  const carts = yield* Everwrite.bucket(Carts)
  yield* carts.edit("effect", (cart) => [
    cart.lines.add("apple", 2),
    cart.lines.add("pear", 1),
    cart.coupon.set("SPRING")
  ])
  const cart = yield* carts.get("effect", { r: "one" })
  console.log("cart:", cart?.lines.get("apple"), "apples, coupon", cart?.coupon)
}))

/**
 * Two clients that have seen the same note replace it: both texts stay, until one write has seen
 * both.
 */
const disagree = Effect.gen(function*() {
  const notes = yield* Everwrite.bucket(Notes)
  const seen = yield* notes.entry("effect")
  yield* Effect.all([notes.replace(seen, "tea"), notes.replace(seen, "coffee")], {
    concurrency: "unbounded"
  })
  const both = yield* notes.entry("effect")
  console.log("siblings:", both._tag === "Found" ? [...both.value].sort() : "none")
  yield* notes.replace(both, "tea and coffee")
  console.log("settled:", yield* notes.get("effect"))
})

/** An unmet request is a value too: here a write that asks for more replicas than there are. */
const demand = Effect.gen(function*() {
  const notes = yield* Everwrite.bucket(Notes)
  const seen = yield* notes.entry("effect")
  yield* notes.replace(seen, "too few nodes will store this", { w: 4 })
}).pipe(
  Effect.catchTags({
    QuorumNotMet: ({ had, needed }) => Effect.log("try again later", { needed, had }),
    InvalidRequest: ({ message }) => Effect.sync(() => console.log("refused:", message))
  })
)

const cluster = layerNats({
  servers: process.env["NATS_URL"] ?? "nats://127.0.0.1:4222",
  cluster: ClusterName.make("dev")
})

await Effect.runPromise(
  Effect.all([shop, disagree, demand], { discard: true }).pipe(Effect.provide(cluster))
)
